import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vocwb.collect.replies import MailParts, cut_all, cut_replies

# Mails as programs write them, made up and labelled by hand before the rules were run on them: each line begins
# with what it is (s said, g signature, q quoted, f forwarded). Mails are apart by a line of "=".
LABELLED = """
s It still leaks, and nobody called me back.
s
g --
g Ann Hill
g 020 7946 0018
q On Mon, 3 May 2021 at 10:00, Support <help@shop.example> wrote:
q
q > Dear Ann,
q > we will call you.
=
s No, the refund did not come.
q On 03/05/2021 10:00, Shop Support wrote:
q > Has the refund arrived?
=
s Yes it did, thank you!
s
q -----Original Message-----
q From: Support [mailto:help@shop.example]
q Sent: Monday, May 3, 2021 10:00 AM
q To: Ann Hill
q Subject: RE: Parcel
q
q Did it arrive?
=
s The app crashes each time.
s
g Kind regards,
g Ann Hill
g Head of Sales | Hill Ltd
g +44 20 7946 0018
s
q ________________________________
q From: Shop <help@shop.example>
q Sent: 03 May 2021 10:00
q To: Ann Hill <ann@hill.example>
q Subject: Your ticket
q
q Please tell us more.
=
q > Is the screen broken?
s Yes, on the left side.
q > When did it happen?
s On the first day.
q > Do you have the bill?
s I sent it twice!
=
s See below. They promised me a new one!
s
f ---------- Forwarded message ---------
f From: Shop <help@shop.example>
f Date: Mon, May 3, 2021 at 10:00 AM
f Subject: Your kettle
f To: <ann@hill.example>
f
f You will have a new kettle by Friday.
=
f Begin forwarded message:
f
f From: Bo <bo@x.example>
f Subject: Kettle
f Date: 3 May 2021 10:00:00 BST
f To: help@shop.example
f
s The kettle caught fire. I want my money back.
=
s Never again.
s
g Sent from my iPhone
=
s I ordered two and got one.
s
g Get Outlook for Android
q ________________________________
q From: Shop <help@shop.example>
q Sent: Monday, May 3, 2021 10:00:00 AM
q To: ann@hill.example <ann@hill.example>
q Subject: Order
q
q Your order is complete.
=
s Delivery took ages:
s > 5 days for a letter!
s Shame.
=
s Route that failed:
s From: London
s To: Paris
s Date: 3 May
s The train never came.
=
s My husband wrote:
s "never buy here again", and he is right.
=
s Please close my account.
s
g Regards
g J. Smith
g
g This e-mail and any attachments are confidential and intended solely for the addressee.
g If you are not the addressee, delete it.
=
s Best regards to the whole team, you were great!
s The driver waited ten minutes for us.
=
s Hi,
s the price went up -- again.
s - no notice
s - no reason
s Not fair.
=
s Works now.
q On Mon, May 3, 2021 at 10:00 AM Very Long Name of a Support Department
q <help@shop.example> wrote:
q
q > Please restart it.
q >
q > Yours, Support
=
s کولر هنوز خراب است و کسی نیامد.
s
q در تاریخ دوشنبه ۱۳ اردیبهشت ۱۴۰۰،‏ ۱۰:۰۰ پشتیبانی <help@shop.example> نوشت:
q
q > سلام، مشکل حل شد؟
=
s پول من برنگشت.
s
q از: پشتیبانی <help@shop.example>
q ارسال شده: دوشنبه، ۳ مه ۲۰۲۱ ۱۰:۰۰
q به: علی رضایی
q موضوع: سفارش شما
q
q سفارش شما ارسال شد.
=
s سلام، بسته دیر رسید و جعبه پاره بود.
s
g با احترام
g علی رضایی
g ۰۹۱۲۰۰۰۰۰۰۰
=
s خیلی راضی بودم.
s
g ارسال شده از آیفون من
=
s لطفا نگاه کنید:
s
f ---------- پیام هدایت شده ----------
f از: فروشگاه <help@shop.example>
f تاریخ: دوشنبه ۱۳ اردیبهشت ۱۴۰۰
f موضوع: گارانتی
f به: <ali@x.example>
f
f گارانتی شما تمدید شد.
=
s از: تهران به شیراز پرواز کردم.
s به: موقع نرسید.
=
s با تشکر از شما، همه چیز عالی بود
s فقط قیمت کمی بالاست.
=
s نسخه جدید باز نمی‌شود.
q در ۳ مه ۲۰۲۱، ساعت ۱۰:۰۰، پشتیبانی <help@shop.example> نوشت:
q > برنامه را به‌روز کنید.
=
s جواب ندادید!
s
g ارادتمند
g مریم احمدی
=
s مشکل حل نشد.
s
q -----پیام اصلی-----
q از: پشتیبانی
q ارسال: دوشنبه ۳ مه ۲۰۲۱ ۱۰:۰۰
q به: مریم
q موضوع: پاسخ
q
q لطفا دوباره امتحان کنید.
=
s ممنون از پیگیری.
s
g این ایمیل و پیوست‌های آن محرمانه است و فقط برای گیرنده است.
=
s دوستم نوشت: «نخر!»
s و راست می‌گفت.
=
s الجهاز ما زال معطلا ولم يتصل أحد.
s
q في الاثنين، ٣ مايو ٢٠٢١ في ١٠:٠٠ ص تمت كتابة ما يلي بواسطة الدعم <help@shop.example>:
q
q > هل وصل الجهاز؟
=
s لم يصل المبلغ.
s
q من: الدعم <help@shop.example>
q تم الإرسال: الاثنين، ٣ مايو ٢٠٢١ ١٠:٠٠ ص
q إلى: أحمد علي
q الموضوع: طلبك
q
q تم شحن طلبك.
=
s الطعام بارد والتوصيل متأخر.
s
g مع أطيب التحيات،
g أحمد علي
=
s شكرا جزيلا، خدمة ممتازة.
s
g مرسل من الآيفون
=
s انظروا ما وعدتم به:
s
f ---------- الرسالة المعاد توجيهها ---------
f من: المتجر <help@shop.example>
f التاريخ: الاثنين، ٣ مايو ٢٠٢١
f الموضوع: الضمان
f إلى: <ahmad@x.example>
f
f تم تمديد الضمان.
=
s من: أول يوم والتطبيق لا يعمل
s في: كل مرة نفس الخطأ
=
s لا، لم تحل المشكلة.
s
q -----الرسالة الأصلية-----
q من: الدعم
q تاريخ الإرسال: ٣ مايو ٢٠٢١ ١٠:٠٠
q إلى: أحمد
q الموضوع: تذكرة
q
q هل حلت المشكلة؟
=
s أريد استرداد نقودي.
s
g وتفضلوا بقبول فائق الاحترام
g سارة محمود
g مديرة المبيعات
=
s التحديث سيئ.
q في ٣ مايو ٢٠٢١، الساعة ١٠:٠٠، كتب الدعم <help@shop.example>:
q > جرب التحديث الجديد.
=
s أرجو إلغاء حسابي.
s
g هذه الرسالة سرية وموجهة للمرسل إليه فقط.
=
s كتب لي الموظف:
s انتظر أسبوعا آخر، وهذا غير مقبول.
=
f بداية الرسالة المحولة:
f
f من: زبون <z@x.example>
f الموضوع: شكوى
f التاريخ: ٣ مايو ٢٠٢١ ١٠:٠٠
f إلى: help@shop.example
f
s الموظف كان وقحا معي.
=
s Още тече и никой не ми се обади.
s
q На пн, 3.05.2021 г. в 10:00 Поддръжка <help@shop.example> написа:
q
q > Здравейте, оправи ли се?
=
s Парите не са върнати.
s
q От: Поддръжка <help@shop.example>
q Изпратено: понеделник, 3 май 2021 г. 10:00
q До: Иван Петров
q Относно: Поръчка
q
q Поръчката е изпратена.
=
s Пратката закъсня с една седмица.
s
g Поздрави,
g Иван Петров
g 0888 000 000
=
s Много съм доволна!
s
g Изпратено от моя iPhone
=
s Вижте какво ми обещахте:
s
f ---------- Препратено съобщение ----------
f От: Магазин <help@shop.example>
f Дата: пн, 3.05.2021 г. в 10:00
f Относно: Гаранция
f До: <ivan@x.example>
f
f Гаранцията е удължена.
=
s От: София до Варна пътувах осем часа.
s До: там стигнах чак вечерта.
=
s Не работи.
s
q -----Оригинално съобщение-----
q От: Поддръжка
q Изпратено: 3 май 2021 10:00
q До: Иван
q Относно: Заявка
q
q Работи ли?
=
s Искам си парите.
s
g С уважение,
g Мария Иванова
g Управител
=
s Приложението се срина.
q На 3.05.2021 г. 10:00, Поддръжка написа:
q > Обновете приложението.
=
s Моля, закрийте профила ми.
s
g Това съобщение е поверително и е предназначено само за получателя.
=
s Колежката ми написа:
s не купувайте оттук, и беше права.
=
s Поздрави на целия екип, бяхте чудесни и много търпеливи с нас!
s Ще дойдем пак.
=
s 还是漏水，没有人给我打电话。
s
q 客服 <help@shop.example> 于2021年5月3日周一 10:00写道：
q
q > 您好，问题解决了吗？
=
s 退款没有到账。
s
q 发件人: 客服 <help@shop.example>
q 发送时间: 2021年5月3日 10:00
q 收件人: 王小明
q 主题: 您的订单
q
q 您的订单已发货。
=
s 客服態度很差。
s
q 寄件者: 客服 <help@shop.example>
q 寄件日期: 2021年5月3日 上午 10:00
q 收件者: 王小明
q 主旨: 您的訂單
q
q 您的訂單已出貨。
=
s 很好用，谢谢！
s
g 发自我的iPhone
=
s 包装破了。
s
g 此致
g 敬礼
g 王小明
=
s 請看下面的信：
s
f ---------- 轉寄郵件 ---------
f 寄件者: 商店 <help@shop.example>
f 日期: 2021年5月3日
f 主旨: 保固
f 收件者: <wang@x.example>
f
f 保固已延長。
=
s 發貨太慢。
s
q 客服 <help@shop.example> 於 2021年5月3日 週一 上午10:00寫道：
q
q > 請問收到了嗎？
=
s 还没有。
s
q ------------------ 原始邮件 ------------------
q 发件人: "客服" <help@shop.example>;
q 发送时间: 2021年5月3日(星期一) 上午10:00
q 收件人: "王小明"<wang@x.example>;
q 主题: 回复：订单
q
q 收到了吗？
=
s 时间: 晚上八点，没人接电话。
s 日期: 忘了。
=
s 朋友写道：
s “别买”，他说得对。
=
s 登录不了。
q 在 2021-05-03 10:00:00，"客服" <help@shop.example> 写道：
q > 请重新登录。
=
s 请注销我的账号。
s
g 本邮件及其附件含有保密信息，仅供收件人使用。
=
s Die Lieferung kam zu spät.
s
g Mit freundlichen Grüßen
g Hans Maier
s
q Am Mo., 3. Mai 2021 um 10:00 Uhr schrieb Shop <help@shop.example>:
q
q > Ist das Paket da?
=
s Le colis est cassé.
s
g Cordialement,
g Marie Durand
q Le lun. 3 mai 2021 à 10:00, Boutique <help@shop.example> a écrit :
q
q > Avez-vous reçu le colis ?
=
s 1. Screen: good
s 2. Sound: bad
s Subject: none
s Thanks
=
s Prices:
s > cheap
s > fast
s but ugly.
=
s I complained on 3 May 2021 at 10:00, and the clerk wrote:
s we are sorry. That is all.
s I want more than that.
=
g Sent from my iPhone
s
f Begin forwarded message:
f
f From: Bo <bo@x.example>
f Subject: Kettle
f Date: 3 May 2021 10:00:00 BST
f To: help@shop.example
f
s It broke again.
"""
CASES = [
    [(line[:1], line[2:]) for line in case.strip("\n").split("\n")]
    for case in re.split(r"^=$", LABELLED, flags=re.M)
]
PART = {"s": 0, "q": 1, "g": 2, "f": 3}


def lines_of(text):
    return [line.rstrip() for line in text.split("\n") if line.strip()]


def is_cut_right(case):
    parts = cut_replies("\n".join(line for _, line in case))
    return all(
        lines_of(parts[place]) == [line.rstrip() for label, line in case if label == part and line.strip()]
        for part, place in PART.items()
    )


def test_labelled_mails():
    assert len(CASES) >= 60
    right = [is_cut_right(case) for case in CASES]
    assert sum(right) / len(CASES) >= 0.97


@pytest.mark.parametrize("case", [case for case in CASES if {label for label, _ in case} == {"s"}], ids=str)
def test_what_only_looks_like_a_reply_is_not_cut(case):
    assert is_cut_right(case)


LINES = st.sampled_from([line for case in CASES for _, line in case]) | st.text(
    st.characters(exclude_characters="\n"), max_size=30
)


@given(st.lists(LINES, max_size=40))
def test_no_line_is_lost_and_none_stands_twice(lines):
    text = "\n".join(lines)
    parts = cut_replies(text)
    assert sorted(line for part in parts for line in lines_of(part)) == sorted(lines_of(text))
    for part in parts:
        rest = iter(lines_of(text))
        assert all(line in rest for line in lines_of(part))


def test_a_text_without_lines_is_all_said():
    for text in ("", "> 5 days", "Sent from my iPhone", "From: a@b.example Sent: 3 May Subject: x"):
        assert cut_replies(text) == MailParts(text, "", "", "")


def test_long_quoted_lines_are_quoted():
    parts = cut_replies("No.\nOn 3 May 2021, Bo <bo@x.example> wrote:\n> " + "long " * 500)
    assert parts.said == "No."


def test_a_reply_without_words_says_nothing():
    assert (
        cut_replies("\n\nOn 3 May 2021 at 10:00, Bo <bo@x.example> wrote:\n\nDear Ann,\nyour bill.").said
        == ""
    )


def test_parts_of_a_column_keep_its_rows():
    texts = pd.Series(["No.\n-- \nAnn", None, "No.\n-- \nAnn"], index=[7, 3, 7])
    parts = cut_all(texts)
    assert parts.index.tolist() == [7, 3, 7]
    assert parts["said"].fillna("").tolist() == ["No.", "", "No."]
    assert parts["quoted"].isna().all()


def test_hostile_mails_take_linear_time():
    pieces = (
        "> \n", "From: a\n", "a:\n", "On \n", "-- \n", "Regards\n", "--- Forwarded message ---\n", "this message ",
        "From: a@b\nSent: 1\nSubject: x\n", "wrote " * 50 + ":\n",
    )  # fmt: skip
    for piece in pieces:
        parts = cut_replies(piece * 20_000)
        assert sum(map(len, parts)) > 0
