"""Everything that differs by language, in one table of facts and four functions that read it."""

import html
import re
import unicodedata
from functools import cache
from itertools import accumulate
from typing import NamedTuple

import stopwordsiso

from vocwb.errors import ProgrammeError

ZWNJ = "\u200c"
"""The zero-width non-joiner, which stands inside Persian words (می‌شود) and is no border."""


class Language(NamedTuple):
    """What the code must know of one language.

    extra_stops: everyday words that the published stop-word list lacks.
    kept: words of that list which carry meaning in feedback, and are therefore no stop words.
    """

    code: str
    name: str
    english_name: str
    direction: str
    script: str
    spaced: bool
    extra_stops: str
    kept: str


class Word(NamedTuple):
    """A word as it is counted, as it is written, and whether it stands directly after the one before it."""

    token: str
    written: str
    follows: bool


LANGUAGES = {
    language.code: language
    for language in (
        Language(
            "en", "English", "English", "ltr", "Latin", True,
            "amp rt im ive id ill dont doesnt didnt cant wont isnt wasnt arent couldnt wouldnt hasnt havent u ur "
            "pls plz lol omg yeah yep gonna wanna got get one would could also just really still even ever "
            "dear hi hello hey etc guys lot lots bit back going gt lt cos cuz tho thru",
            "bill call case change changes cost computer disk empty fire fix found full help home homepage "
            "information interest large lost move name number numbers order ordered ordering orders owing page "
            "pages place poorly present problem problems quick quickly room rooms sent serious show sign site "
            "slow small sorry stop system test text thank thanks tv unfortunately unlike usefulness useful "
            "website web webpage click cry due older old new young younger opened open closed date dates "
            "working work works worked difficult different end first last wrong good great best better value copy "
            "thick thin width microsoft reserved member members goods early clear free index length welcome",
        ),
        Language(
            "fa", "فارسی", "Persian", "rtl", "Arabic", True,
            "رو که تو واسه برا دیگه اگه یه یک این اون اینو اونو هم هست هستش نیست بود بودش شد شده میشه میکنه "
            "داره دارن دارم دارید داشت نداره همه چی چیه چیز چیزی کردم کرده کنید کنم کنن باشه باشن بشه بکنه شاید "
            "ولی اما فقط خیلی سلام ممنون مرسی لطفا دوستان عزیز من ما شما ایشون اینا اونا همین همون الان بعدش "
            "قبلا حالا پس چون وقتی هر چند تا مثل یعنی انگار کلا واقعا اصلا حتما البته کمی اینکه آن آنها یا نه "
            "بهش ازش براش برام بهم ازم خودش خودم بوده نبود نباشه دادم داده گرفتم گرفته هستن هستم ها های هایی ای "
            "باهاش باهام باش نظرم یکم یکمی راستش",
            "بد خوب بهتر بهترین راحت خدمات زود دیر تازه مجانی بزرگ کم قبل",
        ),
        Language(
            "ar", "العربية", "Arabic", "rtl", "Arabic", True,
            "جدا جداً كثير كتير شي شيء اشي اللي الي يعني بس مو مش ما لا يا و في من عن على الى انا انت انتم احنا "
            "نحن هو هي هم هذا هذه هاي هذي ذلك هناك هنا لكن لان لانه لانها كان كانت يكون تكون كنت كنا ليس ليست لم لن "
            "قد كل بعض اي ايضا ان انه انها عند عندي عندهم عنده لدي لديهم فيه فيها منه منها به بها له لها لهم لنا معي "
            "معهم الذي التي ولا ولم وما حتى اذا لو كيف متى اين ليش لماذا ايش شو وش عشان علشان غير بدون اكثر اقل "
            "والله الله شاء ماشاء احد واحد مره مرة زي مثل حق تم لازم ممكن يمكن بعد قبل بين او ثم الان اليوم "
            "مافيه مافي",
            "اخيره سنه سنوات زياره قوه صباح مساء",
        ),
        Language(
            "bg", "български", "Bulgarian", "ltr", "Cyrillic", True,
            "съм си сте сме е са бях беше бяха ще щях нямам няма имам имаше има само много малко доста също обаче "
            "ама ми ти му ѝ й ги го я се си на по от до за при към със без над под пред след тоя оня тази онзи онази "
            "които която което който какво каква какъв какви защо как кога къде ли дали нали нека някак някакъв "
            "някаква някакви някои нещо всичко все още вече пак дори даже просто наистина изобщо почти твърде "
            "толкова така такова такъв такава е-е един една едно едни ни ви им ме те нас вас тях него нея "
            "мой моя мое мои ваш вашия вашата нашия нашата свой своя своята та че но а и или ако докато понеже",
            "автентичен бавен бивш бивша бившо благодаря внимава добра добре добро добър евтин екип живот забавям "
            "заспал лесен лесно лош мек мокър новина нов нова нови смях харесва юмрук близо",
        ),
        Language(
            "zh", "中文", "Chinese", "ltr", "Han", False,
            "的 了 是 我 你 他 她 它 们 個 个 這 这 那 有 没 沒 在 也 就 都 还 還 很 太 真 不 吧 "
            "啊 呢 吗 嗎 呀 哦 喔 啦 嘛 么 麼 什么 什麼 怎么 怎麼 这个 這個 那个 那個 这样 這樣 "
            "那样 那樣 这里 這裡 那里 那裡 我们 我們 你们 你們 他们 他們 它们 自己 一个 一個 一下 "
            "一点 一點 一直 一次 一些 有点 有點 有些 没有 沒有 不是 不会 不會 不能 不要 可以 可能 "
            "应该 應該 需要 知道 觉得 覺得 感觉 感覺 以后 以後 之后 之後 然后 然後 后来 後來 时候 "
            "時候 因为 因為 所以 但是 但 而且 如果 虽然 雖然 还是 還是 就是 只是 只有 真的 非常 "
            "比较 比較 特别 特別 已经 已經 现在 現在 今天 昨天 明天 为 為 后 後 时 時 会 會 说 說 "
            "过 過 来 來 去 到 得 地 着 著 给 給 让 讓 被 把 从 從 对 對 与 與 及 并 並 再 又 才 "
            "更 最 要 想 能 用 做 看 跟 和 或 于 於 以 之 而 且 则 則 请 請 您 咱 某 每 各 该 該 "
            "第 次 点 點 些 样 樣 里 裡 上 下 中 内 內 外 前 人 事 东西 東西 这么 這麼 那么 那麼 "
            "多 少 大 小 好 nbsp 不过 不過 其实 其實 起来 起來 出来 出來 两 兩 几 幾 位 家 件 天 "
            "年 月 日 号 號 完 哈 哈哈 哈哈哈 呵呵 挺 蛮 蠻 只 等 叫 问 問 请问 請問 谢谢 謝謝 "
            "还有 還有 就要 居然 竟然 根本 完全 直接 这种 這種 那种 那種 怎样 "
            "两个 兩個 半个 半個 三个 三個 一个多 一個多 一个半 一個半 第一次 第二次 里面 裡面",
            "打 光 冲 区 受到 等到 靠",
        ),
    )
}  # fmt: skip

_MARKS = dict.fromkeys((*range(0x0610, 0x061B), *range(0x064B, 0x0660), 0x0670, 0x0640))
_INVISIBLE = dict.fromkeys((0xAD, 0x200B, 0x200D, 0x200E, 0x200F, 0xFEFF, *range(0x202A, 0x202F),
                            *range(0x2060, 0x206A), 0xFE0E, 0xFE0F))  # fmt: skip
_DIGITS = {
    code: str(unicodedata.digit(chr(code))) for code in (*range(0x0660, 0x066A), *range(0x06F0, 0x06FA))
}
_LETTERS = {
    "fa": str.maketrans("يىكةۀأإٱؤ", "ییکههاااو"),
    "ar": str.maketrans("أإآٱىیکگةؤئ", "ااااييككهوي"),
}
_LETTER = r"[^\W\d_]"
_REPEATED = re.compile(rf"({_LETTER})\1\1+")
# Everyday Persian writes the prefix می with a space, with a ZWNJ or joined; one spelling is kept. Joined
# forms are opened only before common verb stems: میز (table) and میوه (fruit) are whole words.
_PRESENT = (
    "کن|شو|ش|ده|د|خواه|خوا|خور|خر|رس|ر|رو|آ|آی|گ|گو|گوی|گیر|بین|تون|توان|دون|دان|زن|ذار|گذار|کش|بر|مون|مان|افت|پرس|نویس|ساز"
    "|خون|خوان"
)
_PAST = (
    "کرد|شد|داد|خواست|خورد|خرید|رسید|رفت|اومد|آمد|اد|گفت|گرفت|دید|تونست|توانست|دونست|زد|کشید|برد|موند|افتاد"
)
_ENDING = "(?:م|ی|ه|د|ن|ند|یم|ین|ید|ت)"
_FA_VERB = re.compile(rf"\b(ن?می)[ {ZWNJ}]?(?=(?:(?:{_PRESENT}){_ENDING}|(?:{_PAST}){_ENDING}?)\b)")
_FA_PREFIX = re.compile(r"\b(ن?می) (?=\w{2})")
_FA_SUFFIX = re.compile(r"(?<=\w) (?=(?:ها|های|هایی|هام|هاش|هاشون|تر|ترین)\b)")
_FA_LIGHT_VERB = re.compile(
    rf"ن?می{ZWNJ}(?:(?:کن|شو|ش|ده|د|خواه|خوا|تون|توان|ر|رو|آ|آی|گ|گو|گوی){_ENDING}|(?:کرد|شد|داد|خواست|تونست|رفت|گفت){_ENDING}?)"
)
_AR_CLITIC = re.compile(r"(?:[وف]?[بك]?ال|[وف]?لل)(?=\w{3})|و(?=\w{5})")
# Each part is bounded, so that a verbatim made to be slow is not.
_NOISE = re.compile(
    r"https?:\S+|www\.\S+|[\w.+-]{1,64}@[\w.-]{1,255}|@\w+|</?[a-zA-Z][^<>]{0,200}>|\[[^\[\]]{1,40}\](?!\()"
    r"|\b[xX]{2,}\b|\b[\w-]{1,63}\.(?:com|co|net|org|html?)\b"
)
_WORD = re.compile(rf"\w+(?:[{ZWNJ}'’]\w+)*")
_LONGEST_WORD = 40  # what is longer is a key, a code or a slip of the space bar
_HAN = re.compile(r"[\u3400-\u9fff]")


def describe_language(code: str) -> Language:
    """Return the facts of a language; ProgrammeError lists the languages there are.

    >>> describe_language("fa").english_name
    'Persian'
    """
    if code not in LANGUAGES:
        raise ProgrammeError(
            f"There is no language {code!r}.",
            f"Languages: {', '.join(LANGUAGES)}.",
            "Declare one of these in programme.yml; feedback in others is stored as 'other' and not analysed.",
        )
    return LANGUAGES[code]


def normalise_text(text: str, language: str) -> str:
    """Return `text` in the one spelling in which words are matched; it is for matching and is never stored.

    Unicode NFKC, lower case, digits in ASCII, invisible characters and Arabic marks removed, white space as
    one space, a letter written three times or more once (English and Chinese: twice). Arabic and Persian
    letter forms (yeh, kaf, alef, teh marbuta) become one form each; Persian می and ها are tied to their
    word by a ZWNJ, which other languages lose.

    >>> normalise_text("Sooo  GOOD…", "en")
    'soo good...'
    >>> normalise_text("مي شود", "fa") == normalise_text("میشود", "fa") == "می\u200cشود"
    True
    """
    text = unicodedata.normalize("NFKC", text).casefold().translate(_map_letters(language))
    if language != "fa":
        text = text.replace(ZWNJ, "")
    text = _REPEATED.sub(r"\1\1" if language in ("en", "zh") else r"\1", text)
    text = re.sub(r"\s+", " ", text)
    if language != "fa":
        return text
    text = re.sub(rf"(?<!\w){ZWNJ}+|{ZWNJ}+(?!\w)", "", re.sub(f"{ZWNJ}+", ZWNJ, text))
    for pattern in (_FA_PREFIX, _FA_SUFFIX):
        text = pattern.sub(lambda match: match[0].rstrip() + ZWNJ, text)
    return _FA_VERB.sub(rf"\1{ZWNJ}", text)


@cache
def _map_letters(language: str) -> dict[int, str | None]:
    """Return what becomes of each character, in one table: a second look at a long text would cost as much again."""
    letters, others = _LETTERS.get(language, {}), _MARKS | _INVISIBLE | _DIGITS
    return letters | {
        place: text if text is None else (chr(text) if isinstance(text, int) else text).translate(letters)
        for place, text in others.items()
    }


@cache
def stop_words(language: str) -> frozenset[str]:
    """Return the words that carry no topic in a language, as `normalise_text` spells them.

    From the stopwords-iso lists, checked by hand: words that mean something in feedback (bill, خدمات, евтин)
    are taken out, and everyday and informal words that the lists lack are added.

    >>> "the" in stop_words("en"), "bill" in stop_words("en")
    (True, False)
    """
    facts = describe_language(language)
    listed = set(stopwordsiso.stopwords(language)) - set(facts.kept.split()) | set(facts.extra_stops.split())
    words = {normalise_text(word, language).strip() for word in listed}
    return frozenset(words | {word.replace("'", "") for word in words})


def tokenise_text(text: str, language: str) -> list[str]:
    """Return the words of `text` that may name a topic, as `normalise_text` spells them, in their order.

    Left out: stop words, numbers, single letters, addresses, @handles, markup, masks ("XXXX", "[phone]").
    Chinese is cut by jieba; Arabic loses the article and the conjunctions before it where at least three
    letters remain; Persian compounds with a ZWNJ stay whole.

    >>> tokenise_text("The bill was wrong: see https://a.b/c @you", "en")
    ['bill', 'wrong']
    >>> tokenise_text("کتاب‌های خوب", "fa")
    ['کتاب\u200cهای', 'خوب']
    """
    return [word.token for word in scan_words(text, language)]


def scan_words(text: str, language: str) -> list[Word]:
    """Return the words of `text` that may name a topic, in order, each as it is counted and as it is written.

    `token` is what `tokenise_text` returns; `written` is the word before the Arabic article and conjunctions were
    taken off, in the spelling of `normalise_text`; `follows` says that it stands directly after the word before
    it: no stop word and no punctuation between.

    >>> [tuple(word) for word in scan_words("the boarding pass, sir", "en")]
    [('boarding', 'boarding', False), ('pass', 'pass', True), ('sir', 'sir', False)]
    """
    text = normalise_text(blank_noise(text), language)
    words, last = [], 0  # `last` is where the word kept last ended
    for written, start in cut_words(text, language):
        token = read_token(written, language)
        if token:
            words.append(Word(token, written, bool(words) and not text[last:start].strip()))
            last = start + len(written)
    return words


def blank_noise(text: str) -> str:
    """Return `text` with a lone comma where addresses, @handles, markup and masks ("XXXX", "[phone]") stood.

    >>> blank_noise("thanks @shop &amp; bye")
    'thanks  ,  & bye'
    """
    return _NOISE.sub(" , ", html.unescape(text))


def cut_words(text: str, language: str) -> list[tuple[str, int]]:
    """Return all words of `text` as they stand in it, stop words and numbers too, and where each begins.

    Chinese is cut by jieba, which returns punctuation and spaces among the words.

    >>> cut_words("a late bus", "en")
    [('a', 0), ('late', 2), ('bus', 7)]
    """
    if describe_language(language).spaced:
        return [(match[0], match.start()) for match in _WORD.finditer(text)]
    words = _cutter().lcut(text)
    return list(zip(words, accumulate(map(len, words), initial=0), strict=False))


def read_token(written: str, language: str) -> str:
    """Return a word of a normalised text as it is counted, "" where it names no topic.

    >>> read_token("driver's", "en"), read_token("the", "en")
    ('driver', '')
    """
    stops = stop_words(language)
    word = written.replace("’", "'").removesuffix("'s")
    if word in stops or not _is_word(word):
        return ""
    if language == "ar":
        clitic = _AR_CLITIC.match(word)
        word = word[clitic.end() :] if clitic else word
        return "" if word in stops or (word[0] in "وف" and word[1:] in stops) else word
    if language == "fa" and _FA_LIGHT_VERB.fullmatch(word):
        return ""
    return word


def text_direction(text: str) -> str:
    """Return "rtl" or "ltr" by the first strong character of `text` (Unicode UAX 9, rule P2); "ltr" if none.

    >>> text_direction("123 سلام"), text_direction("ok سلام")
    ('rtl', 'ltr')
    """
    for character in text:
        strong = unicodedata.bidirectional(character)
        if strong in ("L", "R", "AL"):
            return "ltr" if strong == "L" else "rtl"
    return "ltr"


def _is_word(word: str) -> bool:
    if len(word) > _LONGEST_WORD or (len(word) == 1 and not _HAN.match(word)):
        return False
    return any(character.isalpha() for character in word)


@cache
def _cutter():
    """Return jieba's cutter with its dictionary read here: its own way prints, and shares a cache in /tmp."""
    import jieba

    cutter = jieba.Tokenizer()
    cutter.FREQ, cutter.total = cutter.gen_pfdict(cutter.get_dict_file())
    cutter.initialized = True
    return cutter
