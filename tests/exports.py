"""Made-up exports as the systems of the trade write them; what is right is known, since we made them up."""

from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import yaml

TEXTS = Path(__file__).parent.parent / "data" / "sample" / "texts"
ROWS = 90
START = datetime(2025, 1, 3, 9, 5)


def bank(language):
    texts = yaml.safe_load((TEXTS / f"{language}.yml").read_text(encoding="utf-8"))
    return [*texts["generic_negative"], *texts["churn_unhappy"], *texts["needs"], *texts["filler"]]


SAID = {language: bank(language) for language in ("en", "fa", "ar", "bg", "zh")}
NAMES = [
    "Mara Quill", "Tobin Vale", "Ines Oduya", "Petra Lind", "Oskar Haas", "Jun Mori", "Leyla Amin", "Noor Saleh",
    "Ivan Petrov", "Elena Koleva", "Chen Wei", "Sara Bright",
]  # fmt: skip


def said(language="en", every=1, start=0):
    """Answers of customers, every so many rows; a few words are added so that they differ as real ones do."""
    return lambda n: (
        f"{SAID[language][(n + start) % len(SAID[language])]} {n // 7}" if n % every == 0 else None
    )


def day(form="%Y-%m-%d", start=START):
    return lambda n: (start + timedelta(days=n * 2, minutes=17 * n)).strftime(form)


def pick(*values):
    return lambda n: values[(n * 2654435761 >> 7) % len(values)]


def person(n):
    return f"{NAMES[n % 12]} {chr(65 + n % 26)}."


def make(columns, rows=ROWS):
    cells = {
        name: [
            str(found) if (found := fill(n) if callable(fill) else fill) is not None else None
            for n in range(rows)
        ]
        for name, fill in columns.items()
    }
    return pd.DataFrame(cells, dtype="str")


def number(start, step=1):
    return lambda n: start + n * step


stars = pick(5, 4, 1, 3, 2, 5, 1)
nps = pick(10, 9, 0, 7, 3, 8, 6, 5, 1, 2, 4)
EXPORTS = {
    "zendesk": (
        {
            "Ticket ID": number(88120),
            "Subject": pick("Order", "Late parcel", "Refund please", "Help", "Question on my bill"),
            "Description": said(),
            "Status": pick("open", "closed", "pending"),
            "Priority": pick("low", "high", None),
            "Requester": person,
            "Requester email": lambda n: f"p{n % 40}@example.org",
            "Assignee": pick("Ann Reed", "Bo Lee"),
            "Group": pick("Billing", "Delivery", "Returns"),
            "Channel": pick("Web", "Email", "Chat"),
            "Tags": pick("late;refund", "late", "bill;refund;vip", "vip"),
            "Created at": day("%Y-%m-%dT%H:%M:%SZ"),
            "Updated at": day("%Y-%m-%dT%H:%M:%SZ"),
            "Solved at": day("%Y-%m-%dT%H:%M:%SZ"),
        },
        {
            "verbatim": ["Description"],
            "date": "Created at",
            "answer": None,
            "id": "Ticket ID",
            "tags": "Tags",
            "channel": "Channel",
        },
    ),
    "intercom": (
        {
            "conversation_id": number(4420011),
            "created_at": lambda n: 1735900000 + n * 86400,
            "contact_id": lambda n: f"c{n % 50:04}",
            "author_type": pick("user", "admin", "user"),
            "message_body": said(),
            "teammate": pick("Ann", "Bo"),
            "conversation_rating": pick(5, 4, 3, 2, 1, None),
            "url": lambda n: f"https://x.example/{n}",
        },
        {
            "verbatim": ["message_body"],
            "date": "created_at",
            "answer": "conversation_rating",
            "keep": "author_type",
        },
    ),
    "google forms": (
        {
            "Timestamp": day("%m/%d/%Y %H:%M:%S"),
            "How likely are you to recommend us to a friend? (0-10)": nps,
            "What did we do well?": said(),
            "What could we do better?": said(every=2, start=11),
            "Your age group": pick("18-25", "26-40", "41+"),
            "How satisfied are you with the delivery?": stars,
        },
        {
            "verbatim": ["What did we do well?", "What could we do better?"],
            "date": "Timestamp",
            "answer": "How likely are you to recommend us to a friend? (0-10)",
        },
    ),
    "typeform": (
        {
            "#": lambda n: f"{n * 7919:x}q{n:04}zz",
            "How would you rate our service?": stars,
            "Please tell us why": said(),
            "Start Date (UTC)": day("%Y-%m-%d %H:%M:%S"),
            "Submit Date (UTC)": day("%Y-%m-%d %H:%M:%S"),
            "Network ID": lambda n: f"{n * 104729:x}ab",
        },
        {
            "verbatim": ["Please tell us why"],
            "date": "Submit Date (UTC)",
            "answer": "How would you rate our service?",
            "id": "#",
        },
    ),
    "surveymonkey": (
        {
            "Respondent ID": number(118200345001, 13),
            "Collector ID": 430012,
            "Date Created": day("%m/%d/%Y %I:%M:%S %p"),
            "Date Modified": day("%m/%d/%Y %I:%M:%S %p"),
            "IP Address": lambda n: f"10.0.{n}.4",
            "Email Address": None,
            "Overall, how satisfied are you with our company?": pick(
                "Very satisfied", "Satisfied", "Neither", "Dissatisfied"
            ),
            "Do you have any other comments, questions, or concerns?": said(every=3),
        },
        {
            "verbatim": ["Do you have any other comments, questions, or concerns?"],
            "date": "Date Created",
            "answer": None,
            "id": "Respondent ID",
            "worded": "Overall, how satisfied are you with our company?",
        },
    ),
    "qualtrics": (
        {
            "StartDate": day("%Y-%m-%d %H:%M:%S"),
            "EndDate": day("%Y-%m-%d %H:%M:%S"),
            "Status": "IP Address",
            "Progress": "100",
            "Duration (in seconds)": lambda n: 60 + n * 3,
            "ResponseId": lambda n: f"R_{n * 7907:x}Kq{n}",
            "RecordedDate": day("%Y-%m-%d %H:%M:%S"),
            "UserLanguage": pick("EN", "AR", "FA"),
            "Q1_NPS_GROUP": pick("Promoter", "Passive", "Detractor"),
            "Q1": nps,
            "Q2_TEXT": said(),
        },
        {
            "verbatim": ["Q2_TEXT"],
            "date": ("RecordedDate", "EndDate"),
            "answer": "Q1",
            "id": "ResponseId",
            "language": "UserLanguage",
        },
    ),
    "trustpilot": (
        {
            "Review ID": lambda n: f"66{n:022x}",
            "Review Created (UTC)": day("%Y-%m-%d %H:%M:%S"),
            "Review Consumer User Name": person,
            "Review Title": lambda n: f"{SAID['en'][n % 9][:25]} {n}",
            "Review Content": said(),
            "Review Stars": stars,
            "Company Reply": lambda n: (
                f"Dear {NAMES[n % 12]}, thank you for your words, we are sorry and look into it at once. {n}"
            ),
            "Company Reply Date (UTC)": day("%Y-%m-%d %H:%M:%S"),
            "Domain URL": "www.example.com",
            "Tags": None,
        },
        {
            "verbatim": ["Review Content"],
            "date": "Review Created (UTC)",
            "answer": "Review Stars",
            "id": "Review ID",
            "names": "Review Consumer User Name",
        },
    ),
    "app store": (
        {
            "id": number(9911223300, 17),
            "date": day("%Y-%m-%dT%H:%M:%S-07:00"),
            "userName": person,
            "title": lambda n: f"Title {n} so good",
            "review": said(),
            "rating": stars,
            "isEdited": pick("True", "False"),
            "version": pick("4.1", "4.2", "5.0"),
            "developerResponse": lambda n: (
                "{'id': 1, 'body': 'Hi, thank you for your kind review'}" if n % 4 == 0 else None
            ),
        },
        {"verbatim": ["review"], "date": "date", "answer": "rating", "id": "id"},
    ),
    "google play": (
        {
            "reviewId": lambda n: f"{n * 99991:08x}-5fe6-49ca-8aaa-{n:012x}",
            "userName": person,
            "userImage": lambda n: f"https://x.example/{n}.png",
            "content": said(),
            "score": stars,
            "thumbsUpCount": pick(0, 1, 2, 3, 4, 5),
            "reviewCreatedVersion": pick("1.0.2", "1.1.0"),
            "at": day("%Y-%m-%d %H:%M:%S"),
            "replyContent": lambda n: (
                f"Hello, we are sorry to hear of it, write to us {n}" if n % 2 else None
            ),
            "repliedAt": lambda n: day("%Y-%m-%d %H:%M:%S")(n) if n % 2 else None,
        },
        {"verbatim": ["content"], "date": "at", "answer": "score", "id": "reviewId"},
    ),
    "google maps": (
        {
            "reviewer_id": number(1),
            "store_name": pick("Kalvino North", "Kalvino South"),
            "store_address": pick("1 Mill Road, Leeds", "9 High St, York"),
            "latitude": pick("53.79", "53.95"),
            "rating_count": pick("1,240", "2,810"),
            "review_time": pick("3 months ago", "a year ago", "2 days ago"),
            "review": said(),
            "rating": pick("1 star", "5 stars", "4 stars", "3 stars", "2 stars"),
        },
        {"verbatim": ["review"], "date": "review_time", "answer": "rating"},
    ),
    "amazon": (
        {
            "reviewerID": lambda n: f"A{n * 7:012}Z",
            "asin": pick("B0001", "B0002", "B0003"),
            "reviewerName": person,
            "helpful": pick("[0, 0]", "[1, 2]"),
            "reviewText": said(),
            "overall": pick("5.0", "4.0", "1.0", "2.0", "3.0"),
            "summary": lambda n: f"{SAID['en'][n % 40][:30]} {n}",
            "unixReviewTime": lambda n: 1735900000 + n * 86400,
            "reviewTime": day("%m %d, %Y"),
        },
        {"verbatim": ["reviewText"], "date": ("reviewTime", "unixReviewTime"), "answer": "overall"},
    ),
    "yelp": (
        {
            "review_id": lambda n: f"{n * 7919:x}_KU{n:017}",
            "user_id": lambda n: f"u{n % 60:020}",
            "business_id": pick("b1xx", "b2yy", "b3zz"),
            "stars": stars,
            "useful": pick(0, 1, 2, 3, 4, 5),
            "funny": pick(0, 1, 2),
            "cool": pick(0, 1, 2, 3),
            "text": said(),
            "date": day("%Y-%m-%d %H:%M:%S"),
        },
        {"verbatim": ["text"], "date": "date", "answer": "stars", "id": "review_id", "respondent": "user_id"},
    ),
    "hubspot": (
        {
            "Record ID": number(551200),
            "Ticket name": lambda n: f"Ticket {n}",
            "Pipeline": "Support",
            "Ticket status": pick("New", "Closed"),
            "Ticket description": said(),
            "Create date": day("%Y-%m-%d %H:%M"),
            "Close date": day("%Y-%m-%d %H:%M"),
            "Source": pick("Chat", "Email", "Form"),
            "Ticket owner": pick("Ann Reed", "Bo Lee"),
        },
        {"verbatim": ["Ticket description"], "date": "Create date", "answer": None, "id": "Record ID"},
    ),
    "hotel": (
        {
            "Hotel_Address": pick("1 Quay, Bath", "2 Pier, Hull", "5 Lane, Ely"),
            "Review_Date": day("%-m/%-d/%Y"),
            "Average_Score": pick("8.4", "7.9", "9.1"),
            "Hotel_Name": pick("Grand Quay", "Pier Hotel", "The Lane"),
            "Reviewer_Nationality": pick("France", "Spain", "Egypt"),
            "Negative_Review": said(),
            "Review_Total_Negative_Word_Counts": pick(10, 22, 7, 45, 3),
            "Total_Number_of_Reviews": pick(1403, 220, 998),
            "Positive_Review": said(every=2, start=11),
            "Reviewer_Score": pick("9.2", "7.5", "10", "5.8", "8.3", "2.5", "6.7"),
            "days_since_review": lambda n: f"{n} days",
            "lat": pick("51.1", "53.7", "52.4"),
        },
        {
            "verbatim": ["Negative_Review", "Positive_Review"],
            "date": "Review_Date",
            "answer": "Reviewer_Score",
        },
    ),
    "clothing": (
        {
            "": number(0),
            "Clothing ID": pick(767, 1080, 1077),
            "Age": lambda n: 20 + n % 50,
            "Title": lambda n: f"Some major flaws {n}",
            "Review Text": said(),
            "Rating": stars,
            "Recommended IND": pick(0, 1),
            "Positive Feedback Count": pick(0, 1, 2, 3, 4, 5),
            "Division Name": pick("General", "Petite"),
            "Department Name": pick("Dresses", "Tops", "Bottoms"),
        },
        {"verbatim": ["Review Text"], "date": None, "answer": "Rating"},
    ),
    "drugs": (
        {
            "uniqueID": number(206461),
            "drugName": pick("Alpha", "Betanol", "Gammil"),
            "condition": pick("Pain", "Cough", "Sleep"),
            "review": said(),
            "rating": pick(*range(1, 11)),
            "date": day("%B %d, %Y"),
            "usefulCount": pick(27, 192, 17, 3),
        },
        {"verbatim": ["review"], "date": "date", "answer": "rating", "id": "uniqueID"},
    ),
    "theme park": (
        {
            "Review_ID": number(670772142, 11),
            "Rating": stars,
            "Year_Month": lambda n: f"{2018 + n % 4}-{n % 12 + 1}",
            "Reviewer_Location": pick("Australia", "Japan", "Egypt"),
            "Review_Text": said(),
            "Branch": pick("Park A", "Park B", "Park C"),
        },
        {"verbatim": ["Review_Text"], "date": "Year_Month", "answer": "Rating", "id": "Review_ID"},
    ),
    "sentences before dates": (
        {
            "Headline": lambda n: f"Good {n}",
            "Body": said(),
            "When": day("Reviewed in the United Kingdom on %d %B %Y"),
            "Score": pick("4/5", "5/5", "1/5", "2/5", "3/5"),
        },
        {"verbatim": ["Body"], "date": "When", "answer": "Score"},
    ),
    "persian shop": (
        {
            "شناسه": number(34001),
            "عنوان نظر": lambda n: f"خوب {n}",
            "متن نظر": said("fa"),
            "امتیاز": pick("۵", "۴", "۱", "۲", "۳"),
            "تاریخ ثبت": lambda n: f"۱۴۰۳/{n % 12 + 1:02}/{n % 28 + 1:02}".translate(
                str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
            ),
            "نام کاربر": person,
            "شهر": pick("تهران", "شیراز", "تبریز"),
        },
        {"verbatim": ["متن نظر"], "date": "تاریخ ثبت", "answer": "امتیاز", "id": "شناسه", "segment": "شهر"},
    ),
    "arabic shop": (
        {
            "الرقم": number(5001),
            "اسم العميل": person,
            "التقييم": stars,
            "تعليق": said("ar"),
            "التاريخ": day("%d/%m/%Y"),
            "المدينة": pick("جدة", "القاهرة", "دبي"),
        },
        {"verbatim": ["تعليق"], "date": "التاريخ", "answer": "التقييم", "segment": "المدينة"},
    ),
    "bulgarian shop": (
        {
            "Номер": number(301),
            "Дата": day("%d.%m.%Y"),
            "Клиент": person,
            "Оценка": stars,
            "Коментар": said("bg"),
            "Град": pick("София", "Варна", "Русе"),
        },
        {"verbatim": ["Коментар"], "date": "Дата", "answer": "Оценка", "id": "Номер", "segment": "Град"},
    ),
    "chinese shop": (
        {
            "用户昵称": person,
            "评分": stars,
            "评论内容": said("zh"),
            "评论日期": day("%Y年%m月%d日"),
            "点赞数": pick(0, 1, 2, 3, 4, 5),
            "类别": pick("手机", "平板", "水果"),
        },
        {"verbatim": ["评论内容"], "date": "评论日期", "answer": "评分", "segment": "类别"},
    ),
    "taiwanese shop": (
        {
            "評論者": person,
            "評分": pick("5", "4", "1", "2", "3"),
            "評論": said("zh"),
            "日期": pick("3 個月前", "1 年前", "2 天前"),
            "商家回覆": lambda n: f"您好，謝謝您的支持，我們會繼續努力，期待您再次光臨 {n}",
        },
        {"verbatim": ["評論"], "date": "日期", "answer": "評分"},
    ),
    "weibo": (
        {"label": pick(0, 1), "review": said("zh")},
        {"verbatim": ["review"], "date": None, "answer": None, "segment": "label"},
    ),
    "tweets": (
        {
            "target": pick(0, 4),
            "ids": number(1467810369),
            "date": day("%a %b %d %H:%M:%S UTC %Y"),
            "flag": "NO_QUERY",
            "user": lambda n: f"handle_{n % 70}",
            "text": said(),
        },
        {"verbatim": ["text"], "date": "date", "answer": None},
    ),
    "employees": (
        {
            "Timestamp": day("%Y/%m/%d %I:%M:%S %p"),
            "Department": pick("Sales", "IT", "HR"),
            "My manager listens to me": stars,
            "How likely are you to recommend working here?": nps,
            "What would you change?": said(),
        },
        {
            "verbatim": ["What would you change?"],
            "date": "Timestamp",
            "answer": "How likely are you to recommend working here?",
            "segment": "Department",
        },
    ),
    "cleaned copy": (
        {
            "clean_text": lambda n: said()(n).lower().replace(",", "").replace(".", ""),
            "text": said(),
            "sentiment_score": lambda n: f"0.{n:03}",
        },
        {"verbatim": ["text"], "date": None, "answer": None},
    ),
}
