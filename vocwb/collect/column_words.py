"""What the columns of an export are called, in the five languages and a few more: one pattern for each meaning."""

import re

# Latin and Cyrillic words stand alone; Arabic and Chinese ones are found inside longer ones.
_WORDS = {
    "text": (
        r"text|comments?|reviews?|feedback|verbatims?|narrative|complaints?|messages?|msg|body|contents?|opinions?"
        r"|remarks?|answers?|responses?|description|desc|tweet|post|caption|notes?|statement|suggestions?|why"
        r"|explain\w*|explic\w*|explanation|reasons?|improve\w*|words|liked?|disliked?|pros|cons|praise|negative"
        r"|positive|testimonial|issue details?|details|say|said|tell us|commentaires?|avis|kommentare?|rezension"
        r"|bewertungstext|comentarios?|rese[nñ]a|mensaje|коментар\w*|комментар\w*|отзив\w*|отзыв\w*|мнени\w*|текст\w*"
        r"|съобщени\w*|сообщени\w*|оплаквани\w*|жалба|жалоба|описани\w*|предложени\w*|причина|защо|почему|какво",
        r"نظر|متن|توضیح|توضيح|کامنت|دیدگاه|پیام|شکایت|پیشنهاد|انتقاد|محتوا|چرا|شرح|نقاط قوت|نقاط ضعف|تعليق|نص|رأي"
        r"|مراجع|ملاحظ|شكوى|رسالة|اقتراح|محتوى|لماذا|وصف|評論|评论|內容|内容|留言|意見|意见|反馈|反饋|回饋|评价|評價|心得"
        r"|正文|文本|投诉|投訴|建議|建议|描述|原因|为什么|為什麼|感想|短评|短評|优点|缺点|優點|缺點",
    ),
    "reply": (
        r"repl(?:y|ies|ied)\w*|(?:developer|owner|company|business|seller|merchant|agent|staff|host|hotel|brand"
        r"|public|store|provider|official|management|support|vendor)s?\b.{0,20}\b(?:response|answer|comment|note)s?"
        r"|respon\w+ (?:from|by|of) .{1,30}|response (?:text|body|date|time)|internal\w*|solution|resolution|отговор\w*"
        r"|ответ\w*|r[eé]ponse|antwort|respuesta",
        r"回复|回覆|回應|回应|商家|پاسخ|جواب|(?:^|\s)(?:ال)?رد(?:\s|$)",
    ),
    "title": (
        r"title|subject|headline|heading|summary|заглави\w*|заголов\w*|тема|относно|titre|betreff|asunto|titel",
        r"標題|标题|主旨|主題|主题|عنوان|موضوع",
    ),
    "copy": (
        r"clean(?:ed)?|process(?:ed)?|preprocess\w*|normali[sz]ed|tokens?|tokeni[sz]ed|lemma\w*|translat\w*|stemmed",
        r"译文|翻译|翻譯|ترجمه|ترجمة",
    ),
    "not_text": (
        r"ids?|urls?|links?|href|names?|address|location|city|town|place|country|region|state|dates?|label|question|email"
        r"|e mail|phone|product|item|company|brand|browser|agent|device|version|category|code|template|keywords?"
        r"|coords?|coordinates|tags?|hash|path|file|image|avatar|photo|picture|query|search|ip|timezone|zone|model|metadata|meta"
        r"|permalink|headers?|attachments?|име|адрес|град|държава|продукт|марка|телефон|имейл|ссылка|връзка|город|имя",
        r"نام|آدرس|شهر|کشور|محصول|لینک|ایمیل|تلفن|اسم|عنوان البريد|مدينة|بلد|المنتج|رابط|هاتف|名稱|名称|姓名|地址"
        r"|城市|省份|国家|國家|产品|產品|商品|品牌|链接|連結|电话|電話|邮箱|型号",
    ),
    "date": (
        r"dates?|time|datetime|timestamp|created|received|posted|submitted|submission|at|on|day|when|started|ended"
        r"|completed|published|updated|answered|month|дата|време|время|подаден\w*|получен\w*|created_utc|datum|fecha"
        r"|horodatage|час",
        r"تاریخ|زمان|تاريخ|وقت|الوقت|日期|时间|時間|时刻",
    ),
    "date_first": (
        r"created|received|posted|submit\w*|submission|completed|published|review|timestamp|answered|recorded|written"
        r"|sent|opened|ticket|complaint|feedback|response|comment|end|получен\w*|подаден\w*|създаден\w*",
        r"ثبت|ایجاد|ارسال|إنشاء|النشر|提交|創建|创建|發表|发表|评论|評論|發布|发布",
    ),
    "date_other": (
        r"repl(?:y|ied)\w*|updat\w*|edit\w*|modif\w*|clos\w*|solv\w*|resol\w*|due|birth\w*|dob|start\w*|flown|visit\w*"
        r"|stay\w*|purchas\w*|order\w*|crawl\w*|scrap\w*|export\w*|last|sent to|assign\w*|shipp?\w*|deliver\w*|until"
        r"|expir\w*|taken|join\w*|regist\w*|signup|response date|first reply|year|hour|weekday|age|промен\w*|рожд\w*",
        r"تولد|ویرایش|پاسخ|خرید|الميلاد|تعديل|الرد|الشراء|回复|回覆|更新|修改|购买|購買|出生|爬取|采集|抓取",
    ),
    "id": (
        r"ids?|\w*id|no|nr|ref|reference|key|code|number|uuid|guid|ticket|case|asin|номер|ид|num|identifier",
        r"شناسه|کد|شماره|رقم|معرف|编号|編號|单号|單號|序号",
    ),
    "row": (
        r"index|row(?: ?index| ?number| ?no)?|unnamed(?: \d+)?|column \d+|line|sr no|s no|serial",
        r"序号|序號|ردیف",
    ),
    "person": (
        r"users?|username|authors?|customers?|respondents?|reviewers?|callers?|clients?|persons?|members?|requesters?"
        r"|handle|nickname|nick|screen name|creator|sender|from|visitor|patient|guest|student|employee|subscriber"
        r"|contact|email|e mail|buyer|submitter|participant|потребител\w*|клиент\w*|автор\w*|пользовател\w*|имейл",
        r"کاربر|مشتری|نویسنده|العميل|عميل|مستخدم|الكاتب|用户|用戶|客户|客戶|作者|会员|會員|买家|昵称|暱稱|评论者|評論者",
    ),
    "staff": (
        r"agents?|assignee|assigned|owner|operator|advis[eo]r|moderator|interviewer|solved by|taken by|updated by"
        r"|handled by|rep|оператор\w*|агент\w*",
        r"客服|کارشناس|اپراتور|الموظف",
    ),
    "name": (
        r"(?:first |last |full |display |nick)?name|username|nickname|nick|handle|author|reviewer|creator|screen name"
        r"|by|from|име|имена|автор\w*|имя|nom|assignee",
        r"نام|اسم|姓名|昵称|暱稱|用户名|用戶名|评论者|評論者|作者",
    ),
    "thing": (
        r"product|item|company|brand|hotel|store|shop|business|restaurant|place|city|file|campaign|app|organi[sz]ation"
        r"|trust|hospital|school|airline|model|movie|film|book|category|bank|branch|drug|survey|event|package|domain"
        r"|page|site|collector|group|queue|team|form|продукт\w*|магазин\w*|хотел\w*|фирма",
        r"محصول|فروشگاه|کتاب|رستوران|شرکت|المنتج|المتجر|المطعم|الفندق|الشركة|产品|商品|店|酒店|公司|品牌|医院|醫院",
    ),
    "session": (
        r"session\w*|conversation\w*|thread\w*|visit|chat ?id|сесия|разговор",
        r"نشست|گفتگو|جلسة|محادثة|会话|會話|对话",
    ),
    "language": (r"lang|language|locale|език|язык|langue|sprache|idioma", r"زبان|اللغة|لغة|語言|语言|语种"),
    "score": (
        r"ratings?|rate|stars?|scores?|nps|satisf\w*|recommend\w*|grade|overall|effort|ease|easy|csat|ces|esat|enps"
        r"|likel\w*|how (?:much|well|good|happy|easy|likely|satisfied|would you rate)|content|happy|happiness|quality"
        r"|loyal\w*|fft|agree\w*|quality|value for money|intention|again|оценк\w*|оценете|звезд\w*|рейтинг|доволн\w*"
        r"|доволен|удовлетвор\w*|вероятно|препоръч\w*|note globale|bewertung|sterne|puntuaci[oó]n|calificaci[oó]n",
        r"امتیاز|نمره|ستاره|رضایت|رتبه|التقييم|تقييم|النجوم|درجة|الرضا|رضا|評分|评分|星级|星級|得分|分数|分數|打分|满意|滿意"
        r"|推荐|推薦",
    ),
    "main_score": (
        r"rating|ratings|stars?|score|overall|nps|grade|csat|recommend\w*|how likely.*|оценка|рейтинг|reviewer score",
        r"امتیاز|نمره|التقييم|تقييم|評分|评分|星级|星級|总分|總分",
    ),
    "count": (
        r"counts?|number|num|n|total|qty|quantity|likes?|helpful\w*|votes?|photos?|orders?|visits?|length|ages?|nights?"
        r"|days?|hours?|minutes?|pages?|rooms?|persons?|guests?|size|years?|months?|hour|week\w*|upvotes?|thumbs.*|views?"
        r"|retweets?|followers?|price|amount|average|avg|mean|duration|seconds|replies|employees|target|useful|funny|cool"
        r"|confidence|probability|prob|брой|възраст",
        r"تعداد|سن|عدد|العمر|قیمت|سعر|数量|數量|点赞|按讚|次数|年龄|价格|总数",
    ),
    "class": (
        r"ids?|no|codes?|step|index|version|rank|sentiment\w*|polarity|label|category|class|cluster|topic|criticality"
        r"|zip|latitude|longitude|time|reviews|usefulness",
        r"情感|分类",
    ),
    "nps": (
        r"nps|recommend\w*|promoter|препоръч\w*|порекоменд\w*|recommand\w*|weiterempf\w*",
        r"推荐|推薦|توصیه|پیشنهاد|أوصي|توصي|ينصح|تنصح",
    ),
    "csat": (r"csat|satisf\w*|доволн\w*|доволен|удовлетвор\w*|content|happy|zufrieden\w*", r"满意|滿意|رضایت|رضا|راض"),
    "ces": (r"ces|effort|ease|easy|easily|лесно|усили\w*|facile|einfach", r"容易|轻松|輕鬆|آسان|سهول|سهل|تلاش|جهد"),
    "loyalty": (
        r"again|intention|return|renew|come back|buy more|stay with|continue using|loyal\w*|отново|повторно",
        r"再次|回购|回購|دوباره|مجدد|مرة أخرى|مجددا",
    ),
    "tags": (r"tags?|keywords?|themes?|topics?|labels?|categories|етикет\w*|теги", r"标签|標籤|برچسب|وسم|وسوم|تگ"),
    "channel": (
        r"channel|via|medium|contact method|how received|канал",
        r"渠道|管道|来源|來源|کانال|القناة",
    ),
    "stage": (r"(?:journey |lifecycle |customer )?stage|touchpoint|lifecycle|journey|етап", r"مرحله|مرحلة|阶段|階段"),
    "direction": (
        r"inbound|direction|incoming|is customer|from customer|author type|sender type|sender|role|message type"
        r"|speaker|customer message|via customer",
        r"方向|发送方",
    ),
    "event": (r"event|events|event (?:type|name|kind)|action|activity|activity type", r"事件|رویداد|حدث|събитие"),
    "subject": (
        r"query|search\w*|keywords?|article|page|url|path|message|campaign|product|item|screen|section|title",
        r"查询|جستجو|بحث|търсене",
    ),
    "funnel": (
        r"sent|delivered|opened|clicked|answered|unsubscribed|bounced|converted|replied|complained|seen|started"
        r"|completed|viewed|purchased|subscribed|abandoned",
        r"已发送|已打开|已点击",
    ),
    "segment": (
        r"country|region|market|state|city|segment|product|plan|tier|device|platform|os|gender|sex|age (?:group|band)"
        r"|age range|category|cat|department|division|class|brand|store|branch|location|service|version|source"
        r"|topic|type|team|group|language|locale|membership|area|issue|airline|organi[sz]ation|trust|model|variant"
        r"|variation|color|colour|size|verified|reason|company|hotel|restaurant|hospital|travell?er|domain|movie|unit"
        r"|държава|град|пол|област|категория|продукт|отдел",
        r"کشور|شهر|استان|محصول|دسته|جنسیت|البلد|المدينة|المنتج|الفئة|الجنس|国家|國家|省|城市|地区|地區|产品|類別|类别|性别|型号"
        r"|颜色|版本",
    ),
    "technical": (
        r"status|is|has|num|flag|locked|archived|truncated|score|length|index|level|confidence|gold|edited|year|month"
        r"|unit id|metadata|progress|finished|distribution channel|user language|charset"
        r"|encoding|collector.*|step|week|day|weekday|hour"
        r"|quarter|consent.*|version code|identifiable.*",
        r"",
    ),
    "private": (
        r"birth\w*|dob|e?\s?mail|phone|mobile|fax|address|street|zip|zip code|postal|postcode|ip|ip address"
        r"|ssn|passport|iban|password|latitude|longitude|lat|lon|lng|coords?|coord|gps|телефон|имейл|адрес|егн",
        r"تلفن|موبایل|ایمیل|آدرس|هاتف|بريد|عنوان السكن|电话|電話|手机|手機|邮箱|地址|身份证",
    ),
    "employee": (
        r"employees?|staff|supervisor|coworkers?|colleagues?|workplace|job|tenure|employer|my manager|workforce|enps"
        r"|wellness program|salary|team leader|служител\w*|колеги|ръководител\w*",
        r"کارکنان|همکاران|مدیر من|الموظفين|زملاء|员工|員工|同事|主管",
    ),
}  # fmt: skip

_PATTERNS = {
    meaning: re.compile(rf"(?:\b(?:{alone})\b)" + (f"|(?:{inside})" if inside else ""))
    for meaning, (alone, inside) in _WORDS.items()
}
_HEADS = {
    meaning: re.compile(
        rf"\b(?:{alone})$" + (rf"|^(?:ال)?(?:{inside})(?=.*[\u0600-\u06ff])|(?:{inside})$" if inside else "")
    )
    for meaning, (alone, inside) in _WORDS.items()
}
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def split_name(name: str) -> str:
    """Return the words of a column's name in small letters: underscores, points and capitals part them.

    >>> split_name("reviewCreatedVersion"), split_name("Date_month.year")
    ('review created version', 'date month year')
    """
    name = re.sub("[#№]", " nr ", _CAMEL.sub(" ", name[:300]))
    return re.sub(r"[\W_]+", " ", name).strip().lower()


def means(name: str, meaning: str) -> bool:
    """Return whether a column's name holds a word of a meaning (a key of this module's table).

    >>> means("تاریخ ثبت", "date"), means("评论内容", "text"), means("Оценка", "score"), means("update", "date")
    (True, True, True, False)
    """
    return _PATTERNS[meaning].search(split_name(name)) is not None


def is_a(name: str, meaning: str) -> bool:
    """Return whether the word of a name that says what the thing is has a meaning.

    In English, Bulgarian and Chinese names of fields it is the last word, in Persian and Arabic the first.

    >>> is_a("review_title", "title"), is_a("product_review", "not_text"), is_a("عنوان نظر", "title")
    (True, False, True)
    """
    return _HEADS[meaning].search(split_name(name)) is not None


def is_question(name: str) -> bool:
    """Return whether a column's name is a question put to somebody, rather than the name of a field.

    >>> is_question("What could we do better?"), is_question("متن نظر"), is_question("您对我们有什么建议？")
    (True, False, True)
    """
    return bool(re.search(r"[?？؟]", name)) or len(name.split()) >= 5
