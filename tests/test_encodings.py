"""Encodings are found where the bytes prove them, and asked for where they do not."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vocwb.collect.forms.encodings import (
    MIXTURE,
    decode_blocks,
    decode_text,
    find_encoding,
)
from vocwb.collect.forms.rows import BAD, show_bytes
from vocwb.errors import SourceError

TEXTS = {
    "English": "The room wasn’t clean and nobody answered – we won’t come back.|“Great value”, said my daughter, "
    "and it’s true…|It cost £20 more than the website’s price, I’d like a refund.|Staff couldn’t have been nicer.",
    "French": "Très bon accueil, l'équipe est compétente et agréable.|Le délai de livraison n'a pas été respecté, "
    "j'étais très déçue.|Où est passée ma réservation ? À la réception personne ne répond.|Le prix est élevé, "
    "mais la qualité des légumes est là, même en février.|J'ai préféré payer à la caisse, c'était plus sûr.",
    "Bulgarian": "Доставката закъсня с цяла седмица и никой не се обади.|Много съм доволна, качеството е отлично.|"
    "Персоналът беше любезен, но стаята миришеше на цигари.|Приложението се срива след последната версия.|"
    "Ужасно обслужване, няма да поръчам повече оттук.|Цената е висока за това, което получавате.",
    "Persian": "بسته خيلي دير رسيد و كسي جواب تلفن را نداد.|كيفيت پارچه عالي بود و رنگش هم قشنگ است.|"
    "بعد از دو هفته باتري گوشي خراب شد، پشيمان شدم.|قيمت مناسب است ولي بسته بندي خوب نبود.|"
    "از خريدم راضي هستم، ممنون از فروشگاه.|دوربين گوشي در شب اصلا خوب عكس نمي گيرد.",
    "Arabic": "وصل الطلب متأخراً وكان الطعام بارداً جداً.|الموظفون محترمون والمكان نظيف وهادئ.|"
    "التطبيق لا يعمل بعد التحديث الأخير، أرجو حل المشكلة.|الأسعار مرتفعة مقارنة بالجودة.|"
    "طلبت استرجاع المبلغ ولم يرد علي أحد حتى الآن.|تجربة رائعة وسوف أعود مرة أخرى مع العائلة.",
    "Chinese": "房间很干净，服务员态度也不错，下次还会来。|外卖送了两个小时才到，菜都凉了，味道一般。|"
    "手机用了三天就死机，客服一直不回复，非常失望。|价格便宜，质量也还可以，推荐给大家。|"
    "更新之后软件老是闪退，希望尽快修复这个问题。|早餐品种太少，停车也不方便。",
    "traditional Chinese": "護理師很有耐心，醫生也解釋得很清楚。|等了三個小時才看到診，現場沒有人說明。|"
    "停車場太小，每次都要繞很久才找得到車位。|餐點送來的時候已經冷掉了，味道普通。|"
    "更新之後一直閃退，客服電話也打不通，真的很失望。|價錢合理，環境乾淨，會再來。",
    "Russian": "Посылка пришла вовремя, но коробка была помята.|Обслуживание ужасное, никто не отвечает на звонки.|"
    "Очень довольна покупкой, ткань приятная, цвет как на фото.|Приложение вылетает после обновления.|"
    "Номер был чистый, завтрак вкусный, персонал вежливый.",
    "Korean": "배송이 빨라서 좋았고 포장도 꼼꼼했어요.|직원이 불친절해서 다시는 가고 싶지 않습니다.|"
    "업데이트 이후에 앱이 계속 꺼지고 로그인이 안 됩니다.|방이 깨끗하고 위치가 편리해서 추천합니다.|"
    "환불을 요청했는데 일주일째 답변이 없습니다.",
    "Japanese": "配送が早くて助かりました。梱包も丁寧です。|店員の態度が悪く、二度と行きたくありません。|"
    "アップデートしてからアプリがすぐに落ちます。|部屋は清潔で駅からも近く、ゆっくり過ごせました。|"
    "返金をお願いしたのに返事がありません。",
    "German": "Das Gerät ließ sich nicht einschalten, die Rückgabe war zum Glück unkompliziert.|Schöne Zimmer, "
    "aber die Parkplätze sind zu eng.|Für mich völlig unbrauchbar, ich möchte mein Geld zurück.|Größe passt.",
    "Polish": "Przesyłka dotarła po tygodniu, pudełko było zniszczone.|Bardzo miła obsługa i świetna atmosfera.|"
    "Aplikacja ciągle się zawiesza, nie mogę się zalogować.|Jakość słaba, żałuję że tu kupiłem.",
    "Turkish": "Kargo çok geç geldi ve ürün kırık çıktı.|Çalışanlar güler yüzlü, yemekler lezzetli.|"
    "Uygulama güncellemeden sonra sürekli kapanıyor, giriş yapamıyorum.",
    "Greek": "Η παράδοση άργησε δύο εβδομάδες και το προϊόν ήταν χαλασμένο.|Πολύ ευγενικό προσωπικό, καθαρά δωμάτια.|"
    "Η εφαρμογή δεν λειτουργεί μετά την ενημέρωση, κανείς δεν απαντάει.",
    "Hebrew": "המשלוח הגיע באיחור והמוצר היה שבור.|צוות נחמד מאוד, חדרים נקיים וארוחת בוקר מצוינת.|"
    "האפליקציה לא עובדת אחרי העדכון האחרון, אי אפשר להתחבר.",
    "Thai": "จัดส่งเร็วมาก สินค้าคุณภาพดี บรรจุภัณฑ์เรียบร้อย พอใจมากค่ะ|พนักงานบริการไม่ดี อาหารเย็นและราคาแพงเกินไป",
}
LEGACY = {
    "English": ["cp1252", "mac-roman"],
    "French": ["cp1252", "iso-8859-15", "cp850", "mac-roman"],
    "German": ["cp1252", "cp850", "mac-roman"],
    "Bulgarian": ["cp1251", "koi8-r", "iso-8859-5", "cp866", "mac-cyrillic"],
    "Russian": ["cp1251", "koi8-r", "iso-8859-5", "cp866", "mac-cyrillic"],
    "Persian": ["cp1256"],
    "Arabic": ["cp1256", "iso-8859-6"],
    "Chinese": ["gb18030"],
    "traditional Chinese": ["cp950", "gb18030"],
    "Korean": ["cp949"],
    "Japanese": ["cp932", "euc_jp"],
    "Polish": ["cp1250", "iso-8859-2"],
    "Turkish": ["cp1254"],
    "Greek": ["cp1253", "iso-8859-7"],
    "Hebrew": ["cp1255", "iso-8859-8"],
    "Thai": ["cp874"],
}
BULGARIAN = "id,text\n1,добре\n2,много добре\n"
CASES = [(language, encoding) for language, encodings in LEGACY.items() for encoding in encodings]


def make_file(language, encoding, size):
    """Return a CSV of about so many bytes, and its text; what the code page lacks is left out."""
    sentences = TEXTS[language].encode(encoding, "ignore").decode(encoding).split("|")
    rows = [f'{place},{place % 5 + 1},"{sentence}"\r\n' for place, sentence in enumerate(sentences)]
    text = "id,rating,text\r\n" + "".join(rows) * (size // len("".join(rows).encode(encoding)) + 1)
    return text.encode(encoding), text


@pytest.mark.parametrize(("language", "encoding"), CASES)
def test_a_legacy_file_is_read_right(language, encoding):
    for size in (1_500, 10_000, 100_000):
        data, text = make_file(language, encoding, size)
        assert decode_text(data, file="a.csv")[0] == text, size


@pytest.mark.parametrize(("language", "encoding"), CASES)
def test_a_short_legacy_file_is_read_right_or_asked_about(language, encoding):
    _, text = make_file(language, encoding, 1_000)
    lines = text.splitlines(keepends=True)
    for start in range(
        1, min(TEXTS[language].count("|") + 2, len(lines) - 1)
    ):  # then the same pairs come again
        short = "id,rating,text\r\n" + "".join(lines[start : start + 2])
        try:
            read, _ = decode_text(short.encode(encoding), file="a.csv")
        except SourceError:
            continue
        assert read == short


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"]
)
def test_unicode_is_found_with_and_without_a_byte_order_mark(encoding):
    for language, texts in TEXTS.items():
        for text in (f"id,text\r\n1,{texts}\r\n", texts.replace("|", "")):
            read, found = decode_text(text.encode(encoding), file="a.csv")
            assert read == text, (language, found)


def test_wide_unicode_is_found_in_a_language_that_has_no_model():
    text = "id,text\r\n1,Пошиљка је стигла касно, ђаци су љути.\r\n2,Nhân viên phục vụ không nhiệt tình.\r\n"
    assert decode_text(text.encode("utf-16-le"), file="a.csv")[0] == text


def test_mail_of_seven_bits_is_read():
    text = TEXTS["Japanese"].replace("|", "\n")
    assert decode_text(text.encode("iso2022_jp"), file="a.eml")[0] == text


def test_code_page_850_within_latin_1_is_read_byte_by_byte():
    rows = [
        (
            b"1,Tr\xe8s bon accueil, l'\x82quipe a \xe9t\xe9 parfaite",
            "1,Très bon accueil, l'équipe a été parfaite",
        ),
        (b"2,J'ai d\x96 payer 15\x80 de plus, c'est cher", "2,J'ai dû payer 15€ de plus, c'est cher"),
        (b"3,DOMMAGE, D\x90\x80U PAR LE D\x90LAI", "3,DOMMAGE, DÉÇU PAR LE DÉLAI"),
        (b"4,\x80a fait cher pour des l\xe9gumes ab\x8cm\x82s", "4,Ça fait cher pour des légumes abîmés"),
        (b"5,la qualit\x82 est l\xe0, gr\x83ce \x85 vous", "5,la qualité est là, grâce à vous"),
        (b"6,impossible d'\xeatre rembours\xe9e, d\xe9\xe7ue", "6,impossible d'être remboursée, déçue"),
    ] * 5
    data = b"\r\n".join(row for row, _ in rows)
    found = find_encoding(data, file="a.csv")
    assert found.name == MIXTURE
    assert "of the first 30 lines with accents 25 hold code page 850" in found.evidence
    assert decode_text(data, file="a.csv") == ("\r\n".join(text for _, text in rows), MIXTURE)
    assert decode_text(data[:40], file="a.csv", declared=MIXTURE)[1] == MIXTURE


def test_latin_1_with_the_quotes_of_windows_is_no_mixture():
    data, text = make_file("French", "cp1252", 3_000)
    data, text = data.replace(b"'", b"\x92"), text.replace("'", "’")
    assert decode_text(data, file="a.csv") == (text, "windows-1252")


@pytest.mark.parametrize(
    "data",
    [
        "id,text\n1,Très bon\n".encode("latin-1"),
        "id,text\n1,добре\n".encode("cp1251"),
        "很好".encode("gb18030"),
        "Nhân viên phục vụ không nhiệt tình, món ăn nguội.\n".encode("cp1258", "ignore") * 20,
        "გვიან მოვიდა შეკვეთა და ცივი იყო\n".encode().translate(bytes(255 - at for at in range(256))) * 20,
        bytes(range(256)) * 40,
        bytes(2_000),
    ],
)
def test_what_proves_nothing_is_asked_about(data):
    with pytest.raises(
        SourceError, match=r"a.csv: its encoding is in doubt.\nTried: utf-8 .*behind.*\n.*encoding: "
    ):
        decode_text(data, file="a.csv")


def test_evidence_names_the_language_and_the_next_candidate():
    data, _ = make_file("Bulgarian", "cp1251", 3_000)
    evidence = find_encoding(data, file="a.csv").evidence
    assert evidence.startswith("windows-1251: ") and "Bulgarian" in evidence and "mac-cyrillic" in evidence


def test_siblings_settle_a_doubt_but_not_against_the_bytes():
    short = "id,text\n1,добре\n".encode("cp1251")
    assert find_encoding(short, file="a.csv", like="windows-1251").name == "windows-1251"
    assert (
        find_encoding(make_file("Chinese", "gb18030", 500)[0], file="a.csv", like="cp1251").name == "gb18030"
    )


def test_marks_and_broken_bytes_of_utf_8():
    data = "id,text\n1,добре\n2,зле\n".encode() + b"3,\xd0caf\xff\n" + "4,чудесно\n".encode()
    text, encoding = decode_text(data, file="a.csv")
    assert encoding == "utf-8"
    assert [line for line in text.splitlines() if not BAD.search(line)] == [
        "id,text",
        "1,добре",
        "2,зле",
        "4,чудесно",
    ]
    assert show_bytes(text.splitlines()[3]) == "3,\\xd0caf\\xff"
    assert "1 of 4 lines" in find_encoding(data, file="a.csv").evidence


def test_broken_utf_8_far_into_a_file_is_found():
    blocks = ["добре\n".encode() * 1000] * 50 + [b"\xff\n"] + ["зле\n".encode() * 1000]
    assert "1 of" in find_encoding(blocks, file="a.csv").evidence


def test_a_character_may_stand_across_blocks():
    data = BULGARIAN.encode()
    assert find_encoding((data[at : at + 1] for at in range(len(data))), file="a.csv").evidence.endswith(
        "fits."
    )


def test_a_declared_encoding_is_checked():
    assert decode_text("добре".encode("cp1251"), file="a.csv", declared="cp1251") == ("добре", "cp1251")
    assert decode_text(BULGARIAN.encode("utf-8-sig"), file="a.csv", declared="UTF8")[0] == BULGARIAN
    assert decode_text(BULGARIAN.encode("utf-16"), file="a.csv", declared="utf-16-le")[0] == BULGARIAN
    assert decode_text(BULGARIAN.encode("utf-16-be"), file="a.csv", declared="utf-16")[0] == BULGARIAN
    with pytest.raises(SourceError, match=r"in doubt.*\n.*utf-8 \(declared; 2 of 2 lines"):
        decode_text(BULGARIAN.encode("cp1251"), file="a.csv", declared="utf-8")
    with pytest.raises(
        SourceError, match=r"in doubt.*\n.*windows-1252 \(declared, but all 20 lines beyond ASCII are UTF-8"
    ):
        decode_text(("добре\n" * 20).encode(), file="a.csv", declared="windows-1252")


@pytest.mark.parametrize("name", ["utf-9", "base64", "zlib", "idna", "undefined", "rot13", "a\0b"])
def test_what_is_no_encoding_is_refused(name):
    with pytest.raises(SourceError, match="no encoding"):
        decode_text(b"a", file="a.csv", declared=name)


def test_files_without_a_letter_beyond_ascii_are_utf_8():
    assert decode_text(b"", file="a.csv") == ("", "utf-8")
    assert decode_text(b"id,text\r\n1,ok\r\n", file="a.csv") == ("id,text\r\n1,ok\r\n", "utf-8")


SINGLE = [
    "utf-8",
    "utf-16-le",
    "utf-32-be",
    "cp1251",
    "cp1252",
    "cp1256",
    "koi8-r",
    "iso-8859-6",
    "cp850",
    "cp874",
]
MORE = [*SINGLE, "gb18030", "cp950", "cp949", "cp932", "euc_jp", "iso2022_jp", "utf-8-sig", MIXTURE]
PARTS = st.tuples(
    st.sampled_from(sorted(TEXTS.values())), st.sampled_from(["utf-8", "utf-16", "gb18030", "cp1251", "cp932"]),
    st.integers(0, 200), st.binary(max_size=8),
)  # fmt: skip


def damage(parts):
    text, encoding, at, damaged = parts
    data = text.encode(encoding, "replace")
    return data[:at] + damaged + data[at:300]


BYTES = st.binary(max_size=300) | PARTS.map(damage)


@settings(max_examples=150)
@given(BYTES, st.none() | st.sampled_from(MORE), st.lists(st.integers(0, 300), max_size=5))
def test_any_bytes_give_the_same_text_however_they_are_cut_or_a_question(data, declared, cuts):
    try:
        text, name = decode_text(data, file="a.csv", declared=declared)
    except SourceError:
        return
    ends = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    assert "".join(decode_blocks([data[start:end] for start, end in pairwise(ends)], name)) == text


@settings(max_examples=150)
@given(BYTES, st.sampled_from(SINGLE))
def test_no_byte_is_lost(data, encoding):
    text = "".join(decode_blocks([data], encoding))
    pieces = re.split("([\udc00-\udcff])", text)
    assert (
        b"".join(bytes([ord(at) - 0xDC00]) if BAD.match(at) else at.encode(encoding) for at in pieces) == data
    )
