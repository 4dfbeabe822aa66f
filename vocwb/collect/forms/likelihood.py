"""How likely a text is as writing in one of some thirty languages, by letter pairs and characters, in bits."""

import unicodedata
from functools import cache
from typing import NamedTuple

import jieba
import numpy as np
import stopwordsiso

NAMES = {
    "en": "English", "fr": "French", "de": "German", "es": "Spanish", "it": "Italian", "pt": "Portuguese",
    "nl": "Dutch", "sv": "Swedish", "da": "Danish", "no": "Norwegian", "fi": "Finnish", "ca": "Catalan",
    "pl": "Polish", "cs": "Czech", "sk": "Slovak", "hu": "Hungarian", "ro": "Romanian", "hr": "Croatian",
    "sl": "Slovenian", "tr": "Turkish", "lv": "Latvian", "lt": "Lithuanian", "et": "Estonian",
    "bg": "Bulgarian", "ru": "Russian", "uk": "Ukrainian", "ar": "Arabic", "fa": "Persian", "ur": "Urdu",
    "el": "Greek", "he": "Hebrew", "th": "Thai", "zh": "Chinese", "zh-Hant": "traditional Chinese",
    "ja": "Japanese", "ko": "Korean",
}  # fmt: skip
"""The languages that a text can be weighed in, by code."""
LATIN = tuple(NAMES)[:23]
"""The languages that are written with Latin letters."""
# Bits that a character beyond ASCII costs at most, on average, in real writing (measured; misread text
# costs from 6.5, 8.5 and 12.5 bits).
_MOST = {
    **dict.fromkeys(NAMES, 5.8),
    **dict.fromkeys(LATIN, 8.2),
    "th": 7.5,
    "zh": 11.3,
    "zh-Hant": 11.3,
    "ja": 9.8,
    "ko": 10.8,
}
# Bits that a character costs which is no letter of the language, by what it is.
_ASCII, _CLOSING, _OPENING, _MARK, _LETTER, _SYMBOL, _NEVER = 5.0, 3.0, 6.0, 8.0, 13.0, 15.0, 24.0
_FOREIGN, _AGAIN = 24.0, 4.0
# Quotes, dashes and signs that people do write, and the joiners of Persian and Arabic.
_MARKS = "„“”‘’«»–—…€£§©®°·×¿¡№\xa0\xad\u200c\u200d\u200e\u200f،؛؟٪٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹"
# Everyday words of feedback that the lists of function words lack.
_WORDS = {
    "bg": "добър добра добре хубав хубаво лош лошо филм музика продукт поръчка доставка магазин обслужване качество "
    "персонал храна цена скъпо евтино проблем работи препоръчвам страхотен ужасно време място въпрос отговор",
    "ru": "хороший хорошо плохо очень фильм товар заказ доставка магазин обслуживание качество персонал деньги цена "
    "дорого проблема работает спасибо рекомендую отличный ужасно время место вопрос ответ пришел быстро",
    "ar": "جيد جيدة ممتاز ممتازة سيء خدمة الخدمة المطعم الأكل المكان السعر الأسعار المنتج التطبيق الطلب التوصيل جميل "
    "رائع مشكلة الموظفين نظافة غالي رخيص شكرا أنصح تجربة الوقت لذيذ",
    "fa": "خوب عالی بد گوشی کیفیت قیمت خرید محصول خدمات ارسال سفارش بسته فروشگاه مشکل پیشنهاد ممنون راضی باتری صفحه "
    "دوربین رنگ جنس ارزش مناسب",
    "fr": "très bien été équipe réservation qualité problème accueil agréable délai livraison reçu après déjà "
    "résultat conseillé compétent février août élevé différents",
    "de": "für schön größe gut Qualität Lieferung zurück können möchte über günstig natürlich Geschäft Käse Gerät "
    "schließlich verkäufer freundlich während",
    "es": "está atención rápido habitación años también envío señor teléfono mañana niños información día aquí",
}
# Simplified characters, each before its traditional one: the commonest that differ.
_PAIRS = (
    "国國为為这這个個来來会會时時学學说說们們发發对對长長过過着著业業经經门門动動进進区區开開产產军軍还還现現当當两兩实實关關从從内內没沒将將员員东東头頭间間无無见見战戰点點场場数數样樣问問级級应應"
    "资資务務汉漢总總电電声聲设設义義统統处處马馬领領队隊计計别別权權话話报報给給变變书書华華议議称稱决決张張导導术術结結师師达達题題条條规規县縣风風运運组組济濟论論强強黄黃选選记記却卻职職号號类類"
    "传傳带帶农農边邊联聯广廣质質阳陽难難历歷专專认認车車举舉线線团團备備争爭众眾连連调調转轉该該尔爾让讓较較际際单單红紅约約亚亞则則属屬积積图圖装裝许許参參观觀办辦远遠随隨势勢热熱语語铁鐵断斷爱愛"
    "纪紀况況证證编編满滿觉覺双雙乐樂标標织織项項飞飛节節龙龍响響药藥轻輕击擊请請显顯罗羅营營视視护護创創兴興虽雖费費试試宝寶识識维維宫宮环環乡鄉责責严嚴桥橋仅僅杀殺围圍态態负負层層须須续續状狀银銀"
    "终終钱錢赛賽独獨细細获獲习習医醫尽盡脸臉弹彈楼樓艺藝陆陸协協镇鎮检檢写寫苏蘇验驗紧緊户戶财財养養陈陳卫衛伤傷绝絕阶階亿億闻聞审審压壓监監敌敵兰蘭温溫园園树樹词詞岛島预預继繼执執谁誰画畫剧劇谈談"
    "礼禮乱亂讲講临臨挥揮简簡担擔岁歲帮幫块塊额額错錯欢歡够夠孙孫阵陣销銷坚堅练練脚腳读讀测測吴吳换換顾顧顺順鲜鮮败敗货貨归歸买買险險评評吗嗎遗遺笔筆输輸渐漸训訓录錄毕畢献獻爷爺纳納钟鐘饭飯扩擴齐齊"
    "诉訴诗詩础礎静靜盘盤卖賣减減灵靈杂雜侧側庆慶妈媽馆館补補旧舊轮輪妇婦载載软軟枪槍墙牆恶惡顿頓稳穩诸諸绿綠荣榮针針宽寬库庫罢罷页頁戏戲奖獎币幣圆圓烧燒讨討烟煙误誤疗療闭閉脱脫寻尋岗崗丽麗横橫纸紙"
    "夺奪灯燈丝絲购購阴陰择擇宪憲庙廟舰艦奥奧虚虛隐隱粮糧络絡摇搖厅廳访訪韦韋扬揚纵縱纷紛贸貿汇匯灭滅仪儀缓緩盖蓋迹跡释釋润潤虑慮钢鋼码碼损損税稅综綜伦倫韩韓竞競铺鋪脉脈纯純谋謀剂劑谓謂频頻壮壯骑騎"
    "鸡雞绍紹铜銅摆擺签簽缩縮废廢订訂绩績盐鹽贴貼莲蓮抢搶闹鬧纺紡讯訊誉譽梦夢残殘闪閃贼賊倾傾贫貧诺諾麦麥泪淚镜鏡贡貢缘緣贝貝骂罵饮飲奋奮赞讚启啟劲勁锋鋒胆膽凭憑闯闖汤湯储儲彻徹赏賞询詢净淨弃棄伟偉"
    "览覽龄齡绕繞浓濃绪緒蓝藍荡蕩阅閱惯慣鸟鳥辞辭穷窮递遞闲閒灾災涨漲湿濕肠腸册冊锅鍋阔闊锦錦颜顏悬懸诚誠晓曉罚罰辆輛绘繪违違饰飾滚滾迟遲烦煩盗盜凉涼驾駕忧憂扫掃暂暫宾賓寿壽猪豬邻鄰劝勸拟擬贤賢愤憤"
    "辉輝颇頗浅淺丧喪惨慘牵牽详詳档檔岂豈吓嚇赖賴颗顆邮郵锁鎖帐帳胶膠脏髒弯彎挡擋筹籌肿腫债債谱譜夹夾尘塵贺賀炉爐纹紋亏虧齿齒碍礙拨撥励勵偿償烂爛尝嘗喷噴畅暢丢丟肤膚赢贏挤擠诊診唤喚链鏈恋戀惧懼笼籠"
    "叙敘骗騙猎獵缝縫携攜祸禍绳繩恼惱贪貪疯瘋闷悶伪偽抛拋饱飽猫貓衔銜迈邁缠纏肾腎谨謹饿餓诞誕饼餅狭狹赔賠诱誘摊攤账帳睁睜后後里裡么麼几幾台臺万萬与與只隻体體机機气氣云雲价價复復干幹余餘系係面麵钟鍾"
    "征徵准準范範"
)  # fmt: skip
_FOLD = str.maketrans(
    "یکۀى", "يكةي"
)  # windows-1256 has the Arabic forms only, and words are listed in either


class Likelihood(NamedTuple):
    """The language a text is likeliest in, its bits, bits per character beyond ASCII and the most in real writing."""

    language: str
    bits: float
    bits_per_character: float
    most: float


class _Model(NamedTuple):
    costs: np.ndarray  # bits of each character of the Basic Multilingual Plane where no pair says more
    letters: np.ndarray  # number of each character among the letters, 0 for none
    pairs: np.ndarray  # bits of a letter after another (0: after none)


def weigh_text(text: str, languages: tuple[str, ...]) -> Likelihood:
    """Return in which of the languages the text is likeliest, and how likely: the fewer bits, the better.

    Bits are comparable between readings of the same bytes: each character costs minus the binary logarithm
    of its probability, after the letter before it in an alphabet, by itself in Chinese, Japanese and Korean
    (Shannon 1948). Letters' probabilities come from the stop words of the language, characters' from the
    dictionary of jieba. Whatever no person writes (control characters, marks of unfit bytes) costs most.

    >>> [found.bits_per_character < found.most for found in (weigh_text("Много добре", ("bg", "ru")),
    ...     weigh_text("Много добре".encode("cp1251").decode("koi8-r"), ("bg", "ru")))]
    [True, False]
    """
    if text.isascii() and text.isprintable():
        return Likelihood(languages[0], _ASCII * len(text), 0.0, _MOST[languages[0]])
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    points = np.minimum(points, 0xFFFF).astype(np.uint16)  # what is beyond the plane costs as a symbol
    before = np.concatenate([np.zeros(1, np.uint16), points[:-1]])
    codes, counts = np.unique(before.astype(np.uint32) << 16 | points, return_counts=True)
    before, points = (codes >> 16).astype(np.uint16), (codes & 0xFFFF).astype(np.uint16)
    beyond = (points > 0x7F) | (_classes()[3][points] == _NEVER)
    letter = _classes()[0]
    surprise = _weigh_ascii(before, points, counts)
    case = _case_costs(before, points)
    marks = _mark_costs(before, points)
    stuck = 5.0 * (_are_in(before, "–—€£§©®°”»") & letter[points])  # "€" is rather a letter there
    readings = []
    for language in languages:
        model = _model(language)
        number, last = model.letters[points], model.letters[before]
        # An ASCII letter tells something only after a letter beyond ASCII.
        paired = (number > 0) & (beyond | ((before > 0x7F) & (last > 0)))
        costs = np.where(paired, model.pairs[last, number], model.costs[points])
        # No word changes its script: "trиs" is "très" misread.
        strange = letter[points] & letter[before] & ((number > 0) != (last > 0)) & (beyond | (before > 0x7F))
        costs = np.where((before == points) & (costs < _NEVER), np.minimum(costs, _AGAIN), costs)
        costs = (np.minimum(costs, marks) + case + stuck + 8.0 * strange) * counts
        bits = float(costs.sum()) + surprise.get(language, surprise[""])
        readings.append((bits, float(costs[beyond].sum()), language))
    bits, bits_beyond, language = min(readings)
    return Likelihood(language, bits, bits_beyond / max(int(counts[beyond].sum()), 1), _MOST[language])


def _weigh_ascii(before: np.ndarray, points: np.ndarray, counts: np.ndarray) -> dict[str, float]:
    """Return the bits by which the words without a letter beyond ASCII speak against each Latin language.

    Under "" stands every other language. They are few at most: columns are often in another language.
    """
    letter = _classes()[0]
    plain = letter[points] & (points < 0x80) & (before < 0x80)
    before, points, counts = before[plain], points[plain], counts[plain]
    bits = {}
    for language in LATIN:
        model = _model(language)
        bits[language] = float((model.pairs[model.letters[before], model.letters[points]] * counts).sum())
    least = min(bits.values())
    against = {language: min(found - least, _FOREIGN) for language, found in bits.items()}
    return against | {"": min(0.02 * float(counts.sum()), 2 * _FOREIGN)}


def _case_costs(before: np.ndarray, points: np.ndarray) -> np.ndarray:
    _, upper, lower, _ = _classes()
    told = (points > 0x7F) | (before > 0x7F)
    after_lower, after_upper = lower[before], upper[before]
    costs = np.where(after_lower, 10.0, np.where(after_upper, 1.0, 3.0))
    return np.where(told & upper[points], costs, np.where(told & lower[points] & after_upper, 0.5, 0.0))


def _mark_costs(before: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return what marks cost where they belong, or infinity: a quote opens after a blank and closes after a word."""
    after_letter = _classes()[0][before]
    closes = _are_in(points, "’”“»…") & (after_letter | _are_in(before, ".!?)"))
    opens = _are_in(points, "‘“„«£€¿¡") & ~after_letter & (before < 0x80)
    opens |= _are_in(points, "–—") & (before == 0x20)
    return np.where(closes, _CLOSING, np.where(opens, _OPENING, np.inf))


def _are_in(points: np.ndarray, characters: str) -> np.ndarray:
    return np.isin(points, [ord(character) for character in characters])


@cache
def _classes() -> tuple[np.ndarray, ...]:
    """Return of each character of the plane: is it a letter, upper case, lower case; and its cost by itself."""
    characters = [chr(point) for point in range(0x10000)]
    kinds = [unicodedata.category(character) for character in characters]
    letter = np.array([kind[0] in "LM" for kind in kinds])
    upper, lower = (np.array([kind == wanted for kind in kinds]) for wanted in ("Lu", "Ll"))
    never = np.array([kind in ("Cc", "Cn", "Co", "Cs") for kind in kinds])
    costs = np.where(letter, _LETTER, np.where(never, _NEVER, _SYMBOL))
    costs[0x3000:0x3020] = costs[0xFF00:0xFF60] = costs[[ord(mark) for mark in _MARKS]] = _MARK
    costs[0x20:0x7F] = costs[[0x09, 0x0A, 0x0D]] = _ASCII
    costs[[0xFFFD, 0xFFFF]] = _NEVER, _SYMBOL
    return letter, upper, lower, costs


@cache
def _model(language: str) -> _Model:
    costs = _classes()[3].copy()
    letters = np.zeros(0x10000, np.uint8)
    if language in ("zh", "zh-Hant", "ja", "ko"):
        found = _character_shares(language)
        costs[[ord(character) for character in found]] = -np.log2(list(found.values()))
        return _Model(costs, letters, np.zeros((1, 1)))
    words = {*stopwordsiso.stopwords(language), *_WORDS.get(language, "").split()}
    words = sorted(word.lower().translate(_FOLD) for word in words if _is_word(word))
    alphabet = sorted({letter for word in words for letter in word})
    number = {letter: place for place, letter in enumerate(alphabet, 1)}
    for letter, place in number.items():
        for form in (letter, letter.upper()):
            if len(form) == 1 and ord(form) < 0x10000:
                letters[ord(form)] = place
    for form, letter in _FOLD.items():
        letters[form] = letters[letter]
    size = len(alphabet) + 1
    seen = np.zeros((size, size))
    for word in words:
        for first, second in zip(" " + word, word, strict=False):
            seen[number.get(first, 0), number[second]] += 1
    single = (seen.sum(axis=0) + 0.5) / (seen.sum() + 0.5 * size)
    after = seen / np.maximum(seen.sum(axis=1, keepdims=True), 1)
    return _Model(costs, letters, -np.log2(0.7 * after + 0.29 * single + 0.01 / size))


def _is_word(word: str) -> bool:
    return all(unicodedata.category(letter)[0] in "LM" for letter in word)  # vowels of Thai are marks


@cache
def _character_shares(language: str) -> dict[str, float]:
    """Return how often each character of Chinese, Japanese or Korean stands in running text."""
    if language == "ko":
        syllables = [chr(point) for point in range(0xAC00, 0xD7A4) if _fits(chr(point), "euc_kr")]
        return _mix((0.75, _count("".join(stopwordsiso.stopwords("ko")), syllables)), (0.24, syllables))
    han = _han_counts(traditional=language != "zh")
    if language == "ja":
        words = "".join(stopwordsiso.stopwords("ja")) + "ですますしたましたないいるあるというくださいとても"
        hiragana = [chr(point) for point in range(0x3041, 0x3094)]
        katakana = [chr(point) for point in range(0x30A1, 0x30FD)]
        kanji = {character: count for character, count in han.items() if _fits(character, "euc_jp")}
        parts = ((0.35, _count(words, hiragana)), (0.1, hiragana), (0.15, katakana), (0.3, kanji))
        return _mix(*parts, (0.09, list(kanji)))
    code = "gb2312" if language == "zh" else "big5"
    plain = [character for character in map(chr, range(0x4E00, 0x9FA6)) if _fits(character, code)]
    return _mix((0.9, han), (0.09, plain))


def _mix(*parts: tuple[float, dict[str, int] | list[str]]) -> dict[str, float]:
    shares: dict[str, float] = {}
    for weight, part in parts:
        counts = part if isinstance(part, dict) else dict.fromkeys(part, 1)
        total = sum(counts.values())
        for character, count in counts.items():
            shares[character] = shares.get(character, 0.0) + weight * count / total
    return shares


def _count(text: str, wanted: list[str]) -> dict[str, int]:
    counts = dict.fromkeys(wanted, 0)
    for character in text:
        if character in counts:
            counts[character] += 1
    return {character: count for character, count in counts.items() if count}


def _fits(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeError:
        return False
    return True


@cache
def _han_counts(*, traditional: bool) -> dict[str, int]:
    counts: dict[str, int] = {}
    with jieba.get_dict_file() as lines:
        for line in lines:
            word, count, _ = line.decode().split(" ", 2)
            for character in word:
                if "\u4e00" <= character < "\ua000":
                    counts[character] = counts.get(character, 0) + int(count)
    if traditional:
        for old, new in zip(_PAIRS[::2], _PAIRS[1::2], strict=True):
            # Some simplified characters are traditional ones too (后, 里), or stand for several.
            counts[new] = counts.get(new, 0) + counts.get(old, 0)
            counts[old] = counts.get(old, 0) // 3 if _fits(old, "big5") else 0
        counts = {character: count for character, count in counts.items() if count}
    return counts
