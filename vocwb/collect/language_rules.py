"""What tells languages of one script apart: everyday words, letters that others lack, lingua's neighbours."""

import re
from functools import cache
from itertools import product
from typing import NamedTuple

from stopwordsiso import stopwords

from vocwb.languages import LANGUAGES

CODES = tuple(LANGUAGES)
# Names of our languages that lingua does not know: native ones, and codes of ISO 639-2/B and of Mandarin.
NAMES = {
    "farsi": "fa", "فارسی": "fa", "فارسي": "fa", "per": "fa", "dari": "fa", "prs": "fa",
    "العربية": "ar", "عربي": "ar", "عربى": "ar", "عربية": "ar", "български": "bg", "中文": "zh", "汉语": "zh",
    "漢語": "zh", "繁體中文": "zh", "繁体中文": "zh", "简体中文": "zh",
    "簡體中文": "zh", "mandarin": "zh", "cmn": "zh", "chi": "zh",
    "cantonese": "zh", "yue": "zh", "eng": "en",
}  # fmt: skip
OTHER_NAMES = """deutsch français francais español espanol castellano italiano português portugues nederlands polski
русский українська српски македонски türkçe čeština magyar română svenska norsk dansk suomi ελληνικά עברית اردو کوردی
پښتو 日本語 한국어 हिन्दी ไทย filipino"""

# Words of feedback that lists of function words lack, as they are typed. Two or three of them are often
# the whole text.
_ENGLISH = """absolute absolutely account activities activity addictive address addresses ads advert
advertising affordable agent airline airlines airport alarm amazing annoying answer app appalling appointment
appointments apps arrived atrocious attachment attachments attempts attitude authentication average avoid
awesome awful backup bad bag bait balance bank bar basic bass bathroom battery beautiful bed bedding beds beer
benefits billing bills birthday bland blanket bluetooth blurry boarding bonus book booking boring bot bots
bought bout box boxes boy brand bread breakfast bright brilliant brilliantly broke broken brother browser
buffering bug buggy bugs burger bus business button buttons buying bye cable calendar called calls camera
cancel cancellation cancelled cap caps card care career carer caring caringly cash change character characters
charge charged charger charges chat cheap check cheerful chicken child children childrens choice christmas
class clean cleaner cleanliness clerk close closing clothes code coffee cold colleagues collect collection
color colour comfortable comfy comment comments communicate communication company complain complaint
complaints confusing connect constant contact contacts continuous contract controls cool courses cracked craft
crafts crap crash crashed crashes crashing credit crew culture cup customer customers cute dad damage damaged
data dated daughter day days dead deal debt decent deceptive default defective delay delayed delays delete
deleted deliver delivered delivery dentist design desk diagnosis diet dignity dim dinner dirty disappointed
disappointing disgusting dish dishes dislike dispute doc doctor doctors door download dress drink drinks
driver drivers drop dumb durable earbuds easier easily easy education efficient elevator email emails enjoy
enjoyable enjoyed equipment error errors exam excellent excellently exceptional exchange existing expected
expensive experience explain explained export extremely fab fabric fabulous fail failed failure fair fake
false family fantastic fast faster faulty favorite favourite feature features fee feedback feel fees file
files filter filters fine fit fixed flexible flight flights flimsy flying folder folders font food football
forgot fraud freezes freezing fresh friendly friends frozen fun funny game gameplay games garbage gate gift
glad glass glitch glitches glitchy god gotta grade grandson graphics greedy gross guy happy hard hate hated
headphones health hear heard heavy helped helpful helpfulness hidden highly hold holiday honest honestly
horrible hospital hot hotel hour hours house huge husband idea identity import improper improve improved
improvement inbox incident included incoming incorrect increase increased info informative injection install
installation installed installing insurance interface intermittent internet intuitive investigation issue
issues itchy item items jacket jeans job joke jokes journey junk keyboard kid kids kinda kindly kindness
knowledgeable lack lag laggy lame laptop late layout leadership leak leaking learn leave lecturer left lessons
letter levels library life light lights lightweight likes limit limited limits linen link list listen listened
listening loading loan loans local location login loose lost loud love loved lovely loves luggage lunch luv
mac mail mailbox mails management manager managing match meal meals meat medication meh menu message messages
messed metal midwife midwives minute minutes misleading missed missing mistake mobile mode modem mom money
month months mortgage mum music nasty needless neighbourhood network news nice nicely night nil noise noisy
nope normal note notes notification nurse nurses nursing offer offers office offline okish online option
options outage outages outgoing outstanding overage overcharged overcooked overpriced overtime owed package
packaging paid pain pairing pants parcel parents parking pass password patience patient patients pay paying
payment paywall people perfect perfectly person personal phone photos pick pics picture pictures pillow pilot
pizza plan plastic play playing pleasant pleased plot pointless polite pool poor portable portion portions
positive post practice practices premium prescription price prices pricey pricing print printer printing
privacy process product products professional professionalism program programme promised promotion properly
provider purchase purchased quality question questions queue queues quick quicker quiet rating raw read ready
real reason reasonable rebooked receive received receiving reception receptionist recieved recognition
recommend recommended recovery refund refunds refuse refused relaxing reliable remote remove rental repair
repetitive replacement report representation reschedule reset respect response restaurant restore return
returned returning returns review rewards rip ripoff roleplay routine rubbish rude rushed sad safe salad
salary sale salty satisfaction satisfactory satisfied scam scams school scratched screen search searching seat
seatbelt seats security sell seller send server service services serving setting settings setup shame sharp
ship shipped shipping shirt shit shocking shoe shoes shop shopper shoppers shopping short shower sick sign
signup simple sister sitting size sizes skill skills sleeve slow slower smart smell smells smooth smoothly
software soggy sold son song songs sort sound spam speak speaker speakers speaking special speed speeds spend
spicy spoke squeaky staff stale star stars started statement statements stay stitching stolen stopped store
story strange stress stressful stretchy strong stuck stuff stupid sturdy subscription suck sucks suggestions
sunday superb supper support supportive supportiveness surgery sweet switch sync tablet takes talk talked
taste tasteless tasty tea teacher teachers team teamwork tech technician terrible terrific thankyou theme
therapy thnx thoughtful throttling thx tickets tidy tight time timely timer times tired toilet told ton torn
total totally towel towels toxic toy tracking traffic training transfer trash travel treated treatment trial
trouble true trust tutor ugly unable unacceptable unauthorized unclear understand understanding understood
unethical unfair unhappy unhelpful uninstall university unlimited unprofessional unreliable unsubscribe
unusable unwanted update updated updates upgrade upload upset ur usage useless user usual variety vegan
verification verify video view visit volume voucher wait waited waiter waiting waitress walk ward warm
warranty waste wasted watch water weak wear weather week weekend weeks weird welcoming wife wifi window
windows wine wire wireless wonderful word worker workload workplace worse worst worth wow wrong yuck yummy
zipper"""
_SHORT_ENGLISH = (
    "a i am an as at be by do go he hi if in is it me my no of oh ok on or so to up us we ur tv pc id"
)
# English words that many languages have taken over, so that they tell little.
_LOANS = """app apps update online offline internet email mail super ok okay service problem site website link
login chat bot bug bar hotel taxi bus parking test film video foto radio pizza wifi fan stop top hit cool
design support team status"""
_NOT_ENGLISH = "que con per vol non til mil cos der plus des les una les las los por"
_FOREIGN_LATIN = {
    "fr": """accueil accueillant agréable attente bonjour bonne caisse caisses carte chere choix choses client
cliente clients conseil conseils continuez correct deçu dommage déçu excellente fidélité fleurs fruits gentil
jamais joli livraison magasin magasins manque ouvrir parfait personnel plantes prix produit produits promo
promos promotions qualité rapide rapport ras rayon redire réduction satisfait signaler sourire sympa
sympathique vendeur vendeurs vendeuse voir""",
    "de": """adressbuch bitte danke empfangen fehler freundlich freundliche funktioniert gerne kaputt konto
leider lieferung mails mitarbeiter nachricht nachrichten nett ordner preis prima qualität schnell schnelle
senden teuer toll tolle ware zufrieden""",
    "es": """aplicación atención buenísimo calidad caro carpeta correo correos divertido encanta enviar estafa
excelente funciona genial gracias lento mala malo mensajes precio producto pésimo recomiendo rápido servicio""",
    "pt": """adorei adoro atendimento caro demorou entrega excelente funciona gostei preço produto péssimo
recomendo ruim serviço ótima ótimo""",
    "it": """account arrivato bello buona caro cartella cartelle consigliato deluso gentile invio lento
messaggi ottima ottimo perfetto personale pessimo posta prezzo prodotto qualità servizio veloce""",
    "nl": """berichten dank duur goed goede kapot levering mailen map mappen mooi ontvangen prima reactie
slecht snel snelle tevreden verzenden vriendelijk werkt""",
    "tr": """berbat ederim geç güzel harika hızlı kargo kötü pahalı süper tavsiye teşekkürler uygulama
çalışmıyor ürün""",
    "id": """aja aplikasi bagus banget barang cepat ga gak gue gw iklan jelek kalo kasih kecewa keren lumayan
mahal mantap nggak nya pengiriman seru sesuai sih suka terima tolong udah""",
    "ms": """cepat mahal sangat suka tak teruk""",
    "tl": """ganda kilig lang maganda naman pangit po salamat sobra yung""",
    "pl": """dobra dobry drogo działa dziękuję konto obsługa poczta polecam szybka tragedia wiadomości""",
    "ro": """bun buna multumesc mulțumesc rau recomand scump slab""",
    "hi": """accha acha achha bahut bakwas bekar bhai bhi bohot hai hain kar karo koi kya mast mera nahi paisa
raha""",
    "vi": """dụng tốt ứng""",
    "ku": """baş dikim ez gelek min nabe pir spas xweş""",
    # Persian in Latin letters has no rule: several spellings of each word.
    "fa-Latn": """aali afzayesh ali alie aliye arzoon arzun asan aslan az ba bad badak badtarin bahal bahale
bara baraye barname bastebandi baz bazam be bedid begid behtar behtarin bishtar bode bood boodan bud chera
chetor chetori chi chie dadam dadan daram dard dare daste dige digeh dir dorood eftezah estefade felan geroon
gerun ghashang ghashange gheimat gheymat goft goftan gooshi goshi hala ham hamash hame hanooz hanuz harf hast
hastam hastin hich hm in ina inja ja jaleb jens kam kar kard kardam kardan karde kardim ke kefiat keifiat
keyfiat khaili kharid kharidam kharidan kheili kheir kheyli khob khoda khoob khoobe khoobi khub khube khyli
konid lotfa lotfan ma mamnoon mamnun man manfi mano merc mersi midam migam mikham mikhastam mikonam mikone
mikonid mishe mishod mosbat moshkel moshkeli nabood nabud nadaram nadaran nadare nakone naraazi narazi
nareside nashod nemidam nemikonam nemikone nemishe nist nistam ona oon pishnahad pool poolam ra rahat rasid
razi resid resoondan ro sakht salam sefaresh sefaresham shod shode shoma ta tavsie too toop tooye toye tup un
vaghan vagheaan vaghean vali vaqean vase ye yek yeki zesht ziad ziade ziba zood zud""",
    # Arabic in Latin letters and digits (3 for ain, 7 for ha): Egyptian, Levantine, Gulf.
    "ar-Latn": """2awi 3al 3ala 3an 3and 3andi 3ashan 3awez 3ayez 3ayz 3la 3lshan 3ndi 3shan 5alas 5ales 5edma
7aga 7agat 7amdella 7elo 7elw 7elwa 7ilo 7lw 8ali a2al a7san abgha abi abl ahsan aiwa akher aktar akthar al
allah ana aw awel awez awi awy aywa ba3d baddi badi bas bati2 bati2a bel bel7a2 biddi bs bta3 bta3i bta3t
byesht8al da dah dee deh di e7na eh eih el elli elly enta enti ento fe feeh fi fih floos floosi flos flosi
fluss gameel gamil gamila gedan ghali ghalia giddan hada haga hamdella hatha hayda haydi helw helwa hena heya
hina homa hon howa illi inshallah jameel jamil jamila jidan jiddan kaman kan kanet kano kathir kaza kda keda
keteer khalas khales khedma khidma kida kol kowayes kteer ktir kul kwayes kwayesa kwayyes la2 la2a laken lay
laysh lazem lazim leh leih lesa lesh lessa m3 ma ma3 mafeesh mafish mantuj mara marra marteen masari mashallah
mashkoor men mesh min mish mithl mitl mn mnee7 mni7 mnih mo momken momtaz momtaza montag mosh msh mumkin
mumtaz muntaj nas ragel rakhis rekhis sa7 saree3 saree3a sari3 say2 say2a shaghal shaghala sho shokran shou
shu shukran t3ban ta3ban tamam tani tany tawseel tawsil tayeb tmam w wa wala walla wallah wallahi we7esh we7sh
wehesh wel wela wl ya yala yalla yeslamo yslamo zay zayy zeft zift""",
    # Bulgarian in Latin letters, beyond the function words, which are transliterated below.
    "bg-Latn": """4akam barzo bavno be6e beshe blagodaria blagodarq blagodarya boklik bokluk boklyk bqh bqha
bqhme bravo burzo byrzo chakah chakam dobar dobra dobre dobri dobro dobyr dostavka dostavkata evtino filma
filmi filmut filmyt gledah gledai gledaite gledam haresa hora horata hrana hubav hubava hubavo iako ima imam
imashe interesen interesna ka4estvo kachestvo kak kakvo kakyv kupih kupuvam losh losha losho lubezni lyubezni
malko mersi mn mnogo molq molya nai naj neveroqten nevuroqten ni6to niama nikoga nikoi nishto nqma nyama pari
parite poru4ka poruchka pove4e poveche prekaleno prekalqno prepora4vam preporachvam preporuchvam preporychvam
qk qko raboti rabotq skapo sku4en skuchen skupo skypo smiah smqh stava strahoten strahotna strahotno strashno
straxoten tapo telefon tova tupo typo ujas ujasen ujasno usluga uslugi uzhas vreme vseki vsi4ko vsichki
vsichko vsqka xaresa xubav yako za6to zabaven zabavna zashto zasto""",
}
_BULGARIAN = """абе айде актьори алчни бавна бавни бавно банален банката бива благодарим боклук браво бърза
бързи бързо велик велика велико великолепен весел високи внимание върна върнете гледа гледаемо гледайте гледам
гледат гледах глупав глупост готин готина готино добри доволен доволна досада досаден доставка доставката
евтино екшън ефекти жесток жестока жестоко забавен забавно заслужава зле идеален идеално идея изключителен
изключително интересен интересно истинска истински история качествен качествена качествено качество кино
класика клиент клиенти коректни коректно кофти кратък купих леко лоша лоши лошо луд лудост любезен любезни
любезно магазин мерси мн музика невероятен невероятно нелош нелошо неприятно никога ниски обожавам обслужване
обслужването одобрявам отвратително отличен отлично отношение оценка пари парите персонал персонала перфектен
перфектно половин поръчах поръчка поръчката посредствен прекрасен прекрасно препоръчам препоръчвам приятен
приятна приятно работа работи развлекателен разочарован разочарована разочарование разочароващ разочароващо
реклама реклами силен силна силно скучен скучно скъп скъпи скъпо слаб слабо смешен смешно средна средно става
страхотен страхотна страхотно супер сцени съветвам съвсем съжалявам сюжет топ тъп тъпа тъпо ужас ужасен ужасно
услуга услуги усмивка филм филма филми филмче филмът хареса харесаха хит хора хубав хубава хубаво цена цени
чакане чаках чудесен чудесна чудесно яка яко"""
_CYRILLIC = {
    "ru": """благодарю брак быстрая быстро вежливый верните врач дешево доволен довольна дорого доставка заказ
качественно качество класс классно кошмар лучшая лучший магазин норм нормально нормас нравится обман отзыв
отличная отлично отличный очередь персонал плохая плохо плохой полная полный понравилось понравился понятно
похож приложение приятно приятный работает размер рекомендую сервис советую товар удобно ужас ужасно фильм
фото хорошая цена цены""",
    "uk": """вже гарна гарний гарно гроші добре довго додаток дорого доставка дуже дякую жахливо замовлення
зручно клас мене мені не немає нормально ніколи персонал погано працює після раджу рекомендую сподобався
сподобалось товар чому чудово швидка швидко ще якісно якість""",
    "mk": """ама апликација апликацијата беа бев беше би биде биле благодарам вас веднаш вие во вработените
вратете ги го години да добар добра добри е евтино за задоволен задоволна зошто и им има испорака каде како
квалитет квалитетно кога личи лош лошо малку мене мислам многу можам може му на нарачав нарачка нас најдобар
најдобро најлош не недели нема немаше нешто ние никогаш никој ништо но ова оваа овие овој од одличен одлично
парите пати повеќе повторно пратка премногу препорачувам производ производот работи сакам само се секогаш
секој си сите скапо слика сликата со собата сум таа таму ти тие тоа тој тука убав убава убаво ужасно уште
храната цена цената што ја јас љубезни ќе""",
    "sr": """али апликација била било био бити боље брза брзо буде веома више вратите врло где да добар добра
добро док желим за задовољан задовољна због и игра или има имам испорука их када као квалитет квалитетно
купила купио леп лепа лепо лош лоше мало ме ми мислим много могу може мора морам на најбоље најбољи не недеља
нема никад никада нису ништа није новац ова овај ово од одличан одлично он она онако они особље паре поново
поручила поручио после пре превише предобро препоручујем производ ради реклама са сам само сваки све сви се си
скупо слика смо споро сте стигао стигла стигло су ти треба у увек ужасно услуга хвала цена чека чекам што ја
је јефтино још љубазни љубазно ће ћу""",
    "be": """але была быў вельмі гэта дзякуй добра дрэнна не працуе што як""",
}
_PERSIAN = """آشغال آشغاله آپدیت اتاق ارزش ارزون ارزونه ارسال اصل اصلاً افتضاح افتضاحه افتضاحی العاده امکانات
امکاناتش انتظار اندازه اپ اپلیکیشن ایراد بابت باتری باتریش باحال باحاله بازم باطری بالاست بانک باگ بخرید بدتر
بدترین بدستم بدنه بده بدک بدی برخورد برنامه بسته بندی بهترین بوش بوی بیمارستان تاچش تبلت تبلیغ تبلیغات تحویل
تشکر تعریف تعریفی تماس تمیز توجه توضیح تولد جالب جالبه جنس جنسش جواب حافظه حداقل حرف حوصله خاص خانه خراب خرابه
خرید خریدش خریدم خریدمش خعلی خوبه خوبی خوبیست خوبیه خوشمزه خوشگل خوشگله دارمش داغون داغونه دستم دسته دنبال
دوربین دوربینش دوست دکتر راحته راضی راضیم راضیه رستوران رضایت رضایتبخش رفتار رنگ رنگش زیاد زیاده زیبا زیباست
زیبایی ساعت سامسونگ سایز سایزش سبک سریع سفارش سفارشم سنگین سونی سپاس سیستم شارژ شارژر شرح شلوغ شیک صدا صداش
صفحه ضعف ضعیف ضعیفه طراحی طعم عاشق عاشقشم عالی عالین عالیه عطر غذا فروش فروشنده فلش فندک فیک قاب قبول قشنگ
قشنگه قوت قوی قویه قیمت قیمتش لباس ماندگاری متوسط محترم محصول محصولات محکم مرداد مزایا مزخرف مزخرفه مزه مشتری
مشکل مشکلی معایب معطل معمولی معمولیه مفت مفتش ممنونم مناسب مناسبه منشی میاد میخوام میده میدونم میشد میپره
میکنم میگن نا نخرید نسبت نشد نشه نصب نظر نظرم نظری نفر نقطه نمیاد نمیارزه نمیده نمیدونم نمیشه نمیکنم نمیکنه
نوبت نکنید هتل هدفون هدیه همینو هنگ هیچی واقعاً وزن وزنش پارچه پاسخگو پاسخگویی پایین پرسنل پزشک پشتیبانی پول
پولم پولمو پیشنهاد پیک پیگیری کابل کار کارت کالا کثیف کفش کمه کیفیت کیفیتش کیفیتی گران گرفتمش گرون گرونه گوشی"""
_ARABIC = """أبدا أحسن أسعار أسوأ أفضل أنصح أنه أنيق أوي أيضا إنه ابدا احتيال احسن اسعار اسوأ اشتريت اشتريته
افضل اكل الأكل الاسعار الاكل البرنامج البطارية التطبيق التوصيل الجهاز الجودة الخامة الخدمة السعر الشاشة الشكل
الصوت العافية العافيه الكاميرا اللون المطعم المقاس المكان المنتج انصح انيق اوي بالتوفيق برنامج بشراء بطارية
بطيء بطيئة تجربة تجربه تحفة تحفه تسلم تطبيق تمام توصيل ثقيل جبد جدااا جميل جميلة جميله جنان جهاز جودة جوده جيد
جيدا جيدة جيده حاجة حاجه حرام حلو حلوة حلوه خامة خامه خدمة خدمه خرافي خطير خفيف رائع رائعة رائعه راقي رخيص
رخيصة ردئ رديء رديئة رهيب رهيبة روعة روعه زفت زين زينة سريع سريعة سعر سعره سهل سهلة سيء سيئ سيئا سيئة سيئه
سيئين شئ شاشة شغال شكرا شكراً شكل صعب صغير صوت ضعيف ضعيفة طيب عادي عادية عالية عاليه علي عملي عملية عيب عيوب
غالى غالي فاشل فخم فقط فين قوي قيمة كبير كويس كويسة كويسه لأن لايعمل لذيذ لذيذة لون ليه متوسط متوسطة مشكور
مشكورين مطعم معقول معقولة مفيد مفيدة مقاس مقبول مكان ممتاز ممتازة ممتازه مميزات مناسب مناسبة مناسبه منتج نصب
نظيف نظيفة نوع نوعية نوعيه هاد وايد وحش وحشة وحشه وسخ وصل ولكن وين يارب ياريت يجنن يستحق يشتغل يعطيكم يعلق
يعمل"""
_ARABIC_SCRIPT = {
    "ur": """اچھا ایپ بھی بہت بیکار تھا رہا زبردست سے شکریہ فضول لیکن مزہ مگر میں نہیں وہ پسند کا کر کرتا کو
کچھ کیا گیا""",
    "ckb": """ئێوە ئەم ئەو باش باشە بۆ بە جوانە خراپە زۆر سوپاس لە من نییە هیچ هەر و کار کە""",
    "ps": """او بیا خدمت خراب خو د ده دی دې راغی راکړئ زما زه ستاسو شو شوی شي لري له مات مننه مې نه هر هم وم
وو په څوک چې ډېر ښه کار کوم کوي کړئ کړم کړي یې""",
}

# One Bulgarian letter has several Latin ones in informal typing.
_ROMAN = dict(zip("абвгдезийклмнопрстуфхцчшщъьюя", (
    "a", "b", "v w", "g", "d", "e", "z", "i", "i j y", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f",
    "h x", "c ts", "ch 4", "sh 6", "sht 6t", "a y u", "i", "iu yu", "q ya ia"), strict=True),
    ж="j zh")  # fmt: skip
_LATIN_LISTS = "fr de es it pt nl tr pl id ro sv da no fi cs sk sl hr hu ca lt lv et vi ms tl sw af"


class Script(NamedTuple):
    """How the languages of one script are told apart; weights are in nats.

    ours: the codes of the programme's languages in it. lingua: the languages that it compares, ours first.
    doubt: how far "other" leads before anything is known. strange: what a word that no list has speaks for
    "other", from the third. foreign_word: what an everyday word of another language does; less where they are
    many, since one is then met by chance. foreign_share: the same for a text of nothing else. dropped, same,
    between: what is taken out of a word, letters that count as one, what parts words. letters: for whom they
    speak, their pattern, the weight of each.
    """

    name: str
    ours: tuple[str, ...]
    lingua: str
    doubt: float
    dropped: str
    same: tuple[tuple[str, str], ...]
    between: str
    foreign_word: float
    foreign_share: float
    strange: float
    letters: tuple[tuple[str, str, float], ...]


_ARABIC_LETTERS = "\u0620-\u063f\u0641-\u064a\u066e-\u06d3\u06d5\u06fa-\u06ff\u0750-\u077f\u08a0-\u08b4"
SCRIPTS = {
    "Latin": Script(
        name="Latin",
        ours=("en",),
        lingua="ENGLISH FRENCH GERMAN SPANISH ITALIAN PORTUGUESE DUTCH TURKISH INDONESIAN",
        doubt=0.5,
        dropped="['’`´]",
        same=(),
        between=r"(?:[^\p{Latin}0-9]|\b[0-9]+\b)+",
        foreign_word=1.4,
        foreign_share=0.0,
        strange=0.4,
        letters=(
            ("other", r"[à-öø-ɏḁ-ỿ]", 0.5),
            ("other", r"[a-z][235679][a-z]", 1.5),  # Arabic and Bulgarian write letters as digits
        ),
    ),
    "Arabic": Script(
        name="Arabic",
        ours=("fa", "ar"),
        lingua="PERSIAN ARABIC URDU",
        doubt=-1.0,
        dropped="[\u064b-\u065f\u0670\u0640\u200b\u200d-\u200f]",
        # A keyboard decides which yeh and kaf stand in a word; ة and ه are mixed in Arabic feedback.
        same=(("[يىئ]", "ی"), ("ك", "ک"), ("[أإآٱ]", "ا"), ("ؤ", "و"), ("[ةۀ]", "ه"), ("\u200c", "")),
        between=f"[^{_ARABIC_LETTERS}]+",
        foreign_word=2.0,
        foreign_share=2.0,
        strange=0.0,
        letters=(
            ("fa", "[پچژگ]", 2.5),
            ("fa", "[یک]", 1.0),
            ("ar", "ة", 3.0),
            ("fa", " ن?م[یي][^ ][^ ][^ ]+[مندهی] ", 1.5),
            ("ar", "[يكىأإؤئ]", 0.6),
            ("ar", " [وفب]?ال[^ ][^ ]", 2.0),
            ("other", "[ٹڈڑںےہھۓڵڕێۆەټډړښځڅڼېۍګڭۇۈ]", 6.0),  # Urdu, Kurdish, Pashto, Uyghur
        ),
    ),
    "Cyrillic": Script(
        name="Cyrillic",
        ours=("bg",),
        lingua="BULGARIAN RUSSIAN UKRAINIAN MACEDONIAN SERBIAN",
        doubt=-1.0,
        dropped="['’`ʼ]",
        same=(),
        between=r"[^\p{Cyrillic}]+",
        foreign_word=2.0,
        foreign_share=2.0,
        strange=0.0,
        letters=(
            ("bg", "ъ[^еёюя]", 2.5),
            ("other", "[^ ][^ ][^ ][^ ]от ", 1.5),  # the Macedonian article
            ("other", "[ыэёѐіїєґўјљњћђџќѓѕәғқңөұүһ]", 4.0),
        ),
    ),
}


@cache
def list_words(script: str) -> dict[str, frozenset[str]]:
    """Return the everyday words of each language of a script, the programme's own languages first.

    From stopwords-iso, the language table of this package and short lists of what feedback is made of, in
    lower case and with the letters that count as one written as one.

    >>> "accueil" in list_words("Latin")["fr"], "accueil" in list_words("Latin")["en"]
    (True, False)
    """
    rules = SCRIPTS[script]
    own = {"en": _ENGLISH, "fa": _PERSIAN, "ar": _ARABIC, "bg": _BULGARIAN}
    foreign = {"Latin": _FOREIGN_LATIN, "Arabic": _ARABIC_SCRIPT, "Cyrillic": _CYRILLIC}[script]
    listed = {"Latin": _LATIN_LISTS, "Arabic": "ur", "Cyrillic": "ru uk"}[script].split()
    words = {code: set(stopwords(code)) for code in (*rules.ours, *listed)}
    for code in rules.ours:
        words[code] |= {*own[code].split(), *LANGUAGES[code].extra_stops.split()}
    for code, more in foreign.items():
        words[code] = words.get(code, set()) | set(more.split())
    for code in words if script == "Latin" else ():
        words[code] |= set(_LOANS.split())
    if script == "Latin":
        # The English list holds country codes and words of Romance languages.
        words["en"] = {word for word in words["en"] if len(word) > 2} - set(_NOT_ENGLISH.split())
        words["en"] |= set(_SHORT_ENGLISH.split())
        words["bg-Latn"] |= {
            "".join(letters)
            for word in stopwords("bg")
            if len(word) < 8 and all(letter in _ROMAN for letter in word)
            for letters in product(*(_ROMAN[letter].split() for letter in word))
        }
    return {code: frozenset(_spell(word, rules) for word in some) - {""} for code, some in words.items()}


def _spell(word: str, rules: Script) -> str:
    for old, new in ((rules.dropped, ""), *rules.same):
        word = re.sub(old, new, word)
    return word
