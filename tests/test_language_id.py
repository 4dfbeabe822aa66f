"""The language of a verbatim: the five languages, all others kept out, and the source as the judge in doubt."""

from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from vocwb.collect.language_id import (
    count_other,
    identify_languages,
    read_language_name,
    score_languages,
    settle_languages,
)

ROOT = Path(__file__).parent.parent
FIVE = ["en", "fa", "ar", "bg", "zh"]

# Written for these tests: what people say of shops, apps and clinics, short and long, informal.
OTHERS = {
    "French": """très bien | rien à dire | trop cher | pas mal | merci beaucoup | accueil | livraison rapide |
nul | parfait | à revoir | bon produit | déçu | j'adore | service client nul | prix élevés | RAS |
personnel aimable | ça marche | correct | trop d'attente |
Je n'ai jamais reçu ma commande et personne ne répond au téléphone |
L'application plante à chaque fois que je veux payer | Le magasin est propre et les vendeuses sont souriantes |
Franchement je m'attendais à mieux pour ce prix | colis arrivé cassé mais remboursé tout de suite |
cela fait trois semaines que j'attends un remboursement | le choix est limité et les caisses sont trop lentes |
Impossible de me connecter depuis la mise à jour | la qualité du tissu laisse à désirer |
Super équipe, je reviendrai avec plaisir | on attend plus d'une heure pour voir un médecin |
Il faudrait plus de places de parking devant l'entrée | Produit conforme à la description, je recommande |
la chambre sentait le tabac et le petit déjeuner était froid | J'espère que vous allez corriger ce bug |
pourquoi faut-il créer un compte pour commander | Le livreur a laissé le paquet sous la pluie |
c'est dommage que le rayon jardin ferme si tôt | je ne comprends pas ma facture de ce mois-ci |
Bonne continuation à tous""",
    "German": """sehr gut | alles super | zu teuer | nie wieder | passt schon | leider kaputt | gerne wieder |
schlecht | Danke schön | schnelle Lieferung | geht so | nicht gut | tolle App | gute Qualität | na ja |
keine Antwort | zufrieden | Frechheit | läuft | nette Mitarbeiter |
Seit dem letzten Update stürzt die App ständig ab | Die Lieferung kam drei Tage zu spät an |
Der Kundendienst hat mir sofort geholfen, vielen Dank | Ich warte seit zwei Wochen auf meine Rückzahlung |
Das Zimmer war sauber, aber das Frühstück war enttäuschend | warum muss man sich jedes Mal neu anmelden |
Leider passt die Größe überhaupt nicht | an der Kasse steht man immer ewig |
Preis und Leistung stimmen hier einfach | habe das Gerät nach einer Woche zurückgeschickt |
Mitarbeiter waren unfreundlich und hatten keine Ahnung | Bitte macht die Schrift größer, man kann nichts lesen |
Die Ware war schlecht verpackt und zerkratzt | kann ich ohne Einschränkung weiterempfehlen |
der Akku hält nicht mal einen halben Tag | niemand geht ans Telefon, so ein Saftladen |
Die Parkplätze vor dem Haus sind immer besetzt | ich verstehe meine Rechnung nicht |
war schon besser, früher gab es mehr Auswahl | funktioniert einwandfrei auf meinem Handy""",
    "Spanish": """muy bueno | excelente | todo bien | no funciona | mala calidad | me encanta | demasiado caro |
gracias | pésimo | llegó tarde | buen servicio | lo recomiendo | regular | no sirve | muy lento | buenísimo |
está bien | una estafa | rápido | nada que decir | La aplicación se cierra sola cada vez que intento pagar |
El pedido llegó con dos semanas de retraso | Me atendieron muy amablemente y resolvieron mi problema |
no entiendo por qué me cobraron dos veces | la habitación estaba sucia y el aire acondicionado no funcionaba |
Buena relación entre calidad y precio | llevo un mes esperando la devolución de mi dinero |
El producto no se parece a la foto | deberían contratar más gente para las cajas |
es la peor compra que he hecho este año | desde que actualicé ya no puedo entrar a mi cuenta |
Los médicos son buenos pero hay que esperar horas | muy contento con la compra, volveré a comprar |
el repartidor dejó el paquete con un vecino | quisiera que agregaran el modo oscuro |
tiene demasiados anuncios y no deja jugar | la comida estaba fría cuando llegó a mi casa |
nunca contestan los correos | talla más pequeña de lo normal | sigan así, excelente trabajo""",
    "Portuguese": """muito bom | ótimo | não funciona | péssimo | gostei | recomendo | muito caro | demorou |
adorei | horrível | tudo certo | obrigado | fraco | bom produto | mais ou menos | não gostei | excelente |
veio errado | caro demais | nota dez | O aplicativo trava toda vez que tento pagar |
A entrega atrasou duas semanas e ninguém responde | Fui muito bem atendida pela equipe da loja |
o produto chegou quebrado e não querem trocar | estou esperando o reembolso há um mês |
Depois da atualização não consigo mais entrar na conta | a qualidade do tecido é muito ruim |
Poderiam colocar mais caixas no fim de semana | o quarto era limpo mas o café da manhã deixou a desejar |
comprei e não me arrependo, vale cada centavo | muitos anúncios, não dá para usar assim |
Chegou antes do prazo e bem embalado | a bateria não dura nem meio dia |
os médicos são atenciosos mas a espera é longa | nunca mais compro nessa loja |
cobraram duas vezes no meu cartão | o entregador foi muito educado | a comida veio fria e sem talheres |
gostaria que tivesse modo escuro | o tamanho é menor do que o anunciado""",
    "Italian": """molto bene | ottimo | pessimo | troppo caro | non funziona | tutto ok grazie | consigliato |
buona qualità | mai più | lento | perfetto | bello | così così | soddisfatto | arrivato rotto |
personale gentile | deluso | veloce | da evitare | niente da dire |
L'applicazione si blocca ogni volta che provo a pagare | Il pacco è arrivato con una settimana di ritardo |
Personale cortese e sempre disponibile | sto aspettando il rimborso da più di un mese |
dopo l'aggiornamento non riesco più ad accedere | La camera era pulita ma la colazione scarsa |
rapporto tra qualità e prezzo davvero buono | il prodotto non corrisponde alla descrizione |
servirebbero più casse aperte il sabato | non rispondono mai alle mie mail | la batteria dura pochissimo |
Acquisto consigliato, tornerò sicuramente | troppa pubblicità, ho disinstallato |
il corriere ha lasciato il pacco fuori dalla porta | mi hanno addebitato due volte lo stesso importo |
i medici sono bravi ma bisogna aspettare ore | il cibo è arrivato freddo | la taglia veste piccola |
vorrei che aggiungeste il tema scuro | non capisco perché devo registrarmi di nuovo""",
    "Dutch": """heel goed | prima | te duur | werkt niet | slechte service | dank je wel | top geregeld |
nooit meer | vriendelijk | snelle levering | tevreden | matig | geen reactie | mooi product | kapot |
niet fijn | gaat wel | waardeloos | aanrader | duurt te lang | De app loopt vast zodra ik wil betalen |
Mijn bestelling is na twee weken nog niet aangekomen | De medewerkers waren erg behulpzaam en vriendelijk |
ik wacht al een maand op mijn geld | sinds de laatste versie kan ik niet meer inloggen |
De kamer was schoon maar het ontbijt viel tegen | goede prijs voor wat je krijgt |
het product lijkt niet op de foto | er zouden meer kassa's open moeten zijn | niemand neemt de telefoon op |
de batterij gaat nog geen halve dag mee | Veel te veel reclame in dit spel |
de bezorger heeft het pakje buiten laten staan | er is twee keer geld afgeschreven | het eten kwam koud aan |
de maat valt kleiner uit dan verwacht | graag een donkere modus toevoegen |
waarom moet ik telkens opnieuw mijn wachtwoord invoeren | al jaren een tevreden klant |
lange wachttijd bij de dokter""",
    "Turkish": """çok iyi | harika | berbat | teşekkürler | çok pahalı | çalışmıyor | güzel | idare eder |
kötü hizmet | hızlı kargo | tavsiye ederim | beğenmedim | rezalet | süper | fena değil | geç geldi | memnunum |
kırık geldi | eksik ürün | ilgisiz personel | Son güncellemeden sonra uygulama sürekli kapanıyor |
Siparişim iki hafta geçti hala gelmedi | Çalışanlar çok ilgili ve güler yüzlüydü |
para iadesi için bir aydır bekliyorum | oda temizdi ama kahvaltı yetersizdi |
fiyatına göre gayet kaliteli bir ürün | fotoğraftaki ile gelen ürün aynı değil |
kasada çok bekliyoruz daha fazla eleman lazım | telefonu açan kimse yok | bataryası yarım gün bile gitmiyor |
çok fazla reklam var oynanmıyor | kurye paketi kapıya bırakıp gitmiş | kartımdan iki kere para çekildi |
yemek buz gibi geldi | beden küçük geliyor bir büyük alın | lütfen karanlık mod ekleyin | bir daha asla almam |
doktorlar iyi ama randevu bulmak imkansız | her seferinde yeniden giriş yapmak zorundayım |
uzun süredir kullanıyorum hiç sorun yaşamadım""",
    "Polish": """bardzo dobry | polecam | nie polecam | za drogo | nie działa | super obsługa | dziękuję |
słabo | szybka wysyłka | może być | tragedia | wszystko ok | zepsuty | świetne | bez zarzutu | kiepska jakość |
miła pani | nigdy więcej | jest dobrze | brak kontaktu | Aplikacja zawiesza się przy każdej płatności |
Paczka przyszła z tygodniowym opóźnieniem | Obsługa bardzo miła i pomocna |
od miesiąca czekam na zwrot pieniędzy | po aktualizacji nie mogę się zalogować |
pokój był czysty ale śniadanie słabe | produkt niezgodny z opisem | przydałoby się więcej otwartych kas |
nikt nie odbiera telefonu | bateria trzyma pół dnia | za dużo reklam | kurier zostawił paczkę pod drzwiami |
pobrali opłatę dwa razy | jedzenie dotarło zimne | rozmiar mniejszy niż zwykle | proszę o tryb ciemny |
kupuję tu od lat i zawsze jestem zadowolona | lekarz był uprzejmy ale czekałam trzy godziny |
nie wiem czemu znowu muszę wpisywać hasło | cena adekwatna do jakości""",
    "Indonesian": """bagus banget | mantap | jelek | tidak bisa login | cepat sampai | mahal | terima kasih |
lumayan | kecewa | suka banget | kurang bagus | lemot | barang rusak | oke lah | sangat membantu | ga jelas |
puas | keren | tolong diperbaiki | parah | Aplikasinya sering keluar sendiri setelah diperbarui |
Pesanan saya belum sampai sudah dua minggu | pelayanannya ramah dan cepat |
uang saya belum dikembalikan sampai sekarang | kamarnya bersih tapi sarapannya kurang |
harga murah kualitas tidak murahan | barangnya tidak sesuai dengan gambar |
iklannya terlalu banyak bikin malas main | kenapa harus masuk ulang terus | baterainya cepat habis |
kurirnya baik sekali | saldo saya terpotong dua kali | makanannya sudah dingin waktu sampai |
ukurannya kekecilan | tolong tambahkan mode gelap | dokternya baik tapi antrinya lama sekali |
sudah lama pakai dan tidak pernah ada masalah | tidak ada yang angkat telepon | nanti beli lagi di sini |
semoga ke depannya lebih baik lagi""",
    "Russian": """отлично | спасибо | не работает | ужасно | хорошо | всё супер | дорого | рекомендую | плохо |
так себе | быстрая доставка | обман | норм | очень нравится | брак | не советую | вежливый персонал |
классное приложение | долго | верните деньги | После обновления приложение постоянно вылетает |
Заказ пришёл на две недели позже | Сотрудники очень вежливые, всё объяснили | уже месяц жду возврата денег |
номер чистый, но завтрак слабый | цена соответствует качеству | товар не похож на фото |
откройте больше касс по выходным | никто не берет трубку | батарея держит полдня |
слишком много рекламы, играть невозможно | курьер оставил посылку у двери | деньги сняли два раза |
еда приехала холодная | размер маломерит | добавьте темную тему | больше никогда здесь не куплю |
врачи хорошие, но очередь огромная | зачем каждый раз вводить пароль заново | пользуюсь давно, проблем не было""",
    "Ukrainian": """чудово | дякую | не працює | дуже добре | жахливо | дорого | рекомендую | погано |
швидка доставка | все сподобалось | так собі | гарний товар | не раджу | ввічливий персонал | зламаний | клас |
поверніть гроші | довго чекав | якісно | нормально | Після оновлення застосунок постійно вилітає |
Замовлення прийшло на два тижні пізніше | Працівники дуже ввічливі, усе пояснили |
вже місяць чекаю на повернення коштів | номер чистий, але сніданок слабкий | ціна відповідає якості |
товар не схожий на фото | відкрийте більше кас у вихідні | ніхто не бере слухавку | батарея тримає пів дня |
забагато реклами, грати неможливо | кур'єр залишив посилку біля дверей | гроші зняли двічі |
їжа приїхала холодна | розмір менший ніж зазвичай | додайте темну тему | більше ніколи тут не куплю |
лікарі хороші, але черга величезна | навіщо щоразу вводити пароль | користуюся давно, проблем не було""",
    "Serbian": """одлично | хвала | не ради | веома добро | ужасно | скупо | препоручујем | лоше |
брза испорука | све је супер | онако | добар производ | нисам задовољан | љубазно особље | покварено | врх |
вратите паре | дуго се чека | квалитетно | може да прође | После ажурирања апликација стално пуца |
Пошиљка је стигла две недеље касније | Особље је веома љубазно и све су објаснили |
већ месец дана чекам повраћај новца | соба чиста али доручак слаб | цена одговара квалитету |
производ не личи на слику | отворите више каса викендом | нико се не јавља на телефон |
батерија траје пола дана | превише реклама, не може да се игра | курир је оставио пакет испред врата |
новац су скинули два пута | храна је стигла хладна | број је мањи него обично | додајте тамну тему |
никада више нећу куповати овде | лекари су добри али се чека сатима |
зашто сваки пут морам поново да се пријавим | користим дуго и није било проблема""",
    "Macedonian": """одлично | благодарам | не работи | многу добро | ужасно | скапо | препорачувам | лошо |
брза испорака | сѐ е супер | така-така | добар производ | не сум задоволен | љубезен персонал | расипано | топ |
вратете ги парите | долго се чека | квалитетно | може да помине | По ажурирањето апликацијата постојано паѓа |
Пратката стигна две недели подоцна | Вработените се многу љубезни и ми објаснија сѐ |
веќе еден месец чекам да ми ги вратат парите | собата беше чиста но појадокот слаб |
цената одговара на квалитетот | производот не личи на сликата | отворете повеќе каси за викенд |
никој не се јавува на телефон | батеријата трае пола ден | премногу реклами, не може да се игра |
курирот го остави пакетот пред врата | ми наплатија два пати | храната стигна ладна |
бројот е помал од вообичаено | додадете темна тема | никогаш повеќе нема да купам тука |
лекарите се добри ама се чека со часови | зошто секој пат морам повторно да се најавам |
го користам одамна и немаше проблеми""",
    "Urdu": """بہت اچھا | شکریہ | کام نہیں کرتا | بہت مہنگا | زبردست | خراب سروس | پسند آیا | بیکار | ٹھیک ہے |
جلدی مل گیا | اچھی ایپ ہے | بکواس | کوئی جواب نہیں | مزہ آ گیا | دیر سے آیا | معیار اچھا ہے | فضول | عمدہ |
ٹوٹا ہوا ملا | پیسے واپس کرو | اپ ڈیٹ کے بعد ایپ بار بار بند ہو جاتی ہے | میرا آرڈر دو ہفتے بعد بھی نہیں ملا |
عملہ بہت خوش اخلاق تھا | ایک مہینے سے پیسوں کا انتظار کر رہا ہوں | کمرہ صاف تھا لیکن ناشتہ اچھا نہیں تھا |
قیمت کے لحاظ سے بہترین چیز ہے | تصویر سے بالکل مختلف چیز بھیجی ہے | کاؤنٹر پر بہت رش ہوتا ہے |
فون کوئی نہیں اٹھاتا | بیٹری آدھا دن بھی نہیں چلتی | اشتہار بہت زیادہ ہیں | ڈیلیوری والا پارسل باہر چھوڑ گیا |
میرے کارڈ سے دو بار پیسے کٹ گئے | کھانا ٹھنڈا آیا | سائز چھوٹا ہے ایک نمبر بڑا لیں | ڈارک موڈ شامل کریں |
آئندہ یہاں سے نہیں خریدوں گا | ڈاکٹر اچھے ہیں مگر گھنٹوں انتظار کرنا پڑتا ہے | ہر بار پاس ورڈ کیوں مانگتے ہیں |
کافی عرصے سے استعمال کر رہا ہوں کوئی مسئلہ نہیں""",
    "Kurdish": """زۆر باشە | سوپاس | کار ناکات | زۆر گرانە | خراپە | دەستخۆش | جوانە | باش نییە | خێرا گەیشت |
ناڕازیم | نایابە | بەڕاستی باشە | دواکەوت | هیچ وەڵامێک نییە | شکاوە | پارەکەم دەوێت | خزمەتگوزاری باش |
بە دڵمە | درەنگ گەیشت | پێشنیاری دەکەم | دوای نوێکردنەوە بەرنامەکە هەر دادەخرێت |
داواکارییەکەم دوو هەفتە دواکەوت | کارمەندەکان زۆر بەڕێز بوون | مانگێکە چاوەڕێی پارەکەم دەکەم |
ژوورەکە پاک بوو بەڵام نانی بەیانی خراپ بوو | نرخەکەی گونجاوە لەگەڵ کوالێتییەکەی | کەلوپەلەکە وەک وێنەکە نییە |
کەس وەڵامی تەلەفۆن ناداتەوە | پاترییەکەی نیو ڕۆژ دەگرێت | ڕیکلامی زۆر زۆرە | دوو جار پارەیان لێ بڕیم |
خواردنەکە سارد بوو کاتێک گەیشت | تکایە دۆخی تاریک زیاد بکەن | جارێکی تر لێرە ناکڕم |
پزیشکەکان باشن بەڵام چاوەڕوانی زۆرە | بۆچی هەموو جارێک دەبێت وشەی نهێنی بنووسم |
ماوەیەکی زۆرە بەکاری دێنم کێشەم نەبووە | pir baş e | ez razî me, spas dikim | sepan piştî nûkirinê naxebite""",
    "Pashto": """ډېر ښه دی | مننه | کار نه کوي | ډېر ګران دی | خراب خدمت | خوښ مې شو | سم دی | ژر راغی |
ډېر بد | هېڅ ځواب نشته | ښه اپلیکېشن دی | ناوخته راغی | مات شوی دی | پیسې راکړئ | ډېر خوند یې وکړ |
زه خوشحاله یم | بې کاره دی | ښکلی دی | نه یې خوښوم | ګټور دی | له نوي کولو وروسته اپلیکېشن تل بندېږي |
زما فرمایش دوه اوونۍ وروسته راورسېد | کارکوونکي ډېر مهربان وو | یوه میاشت کېږي چې د خپلو پیسو انتظار کوم |
خونه پاکه وه خو سبا ناری ښه نه و | بیه یې له کیفیت سره برابره ده | توکی له انځور سره توپیر لري |
څوک د ټیلیفون ځواب نه ورکوي | بټرۍ یې نیمه ورځ هم کار نه کوي | اعلانونه ډېر زیات دي |
دوه ځله یې رانه پیسې واخیستې | خواړه ساړه راورسېدل | اندازه یې کوچنۍ ده | مهرباني وکړئ تیاره بڼه ور زیاته کړئ |
بیا به له دې ځایه څه ونه اخلم | ډاکټران ښه دي خو انتظار ډېر دی | ولې هر ځل پټنوم غواړئ |
له ډېرې مودې یې کاروم او ستونزه مې نه ده لیدلې | زموږ په ښار کې څانګه نشته | د پلور وروسته خدمت یې کمزوری دی""",
    "Japanese": """最高 | とても良い | 使えない | ありがとう | 高すぎる | 残念です | 早い | 普通 | 最悪 |
対応が悪い | おすすめ | 壊れていた | 便利 | 遅い | 満足 | 返金希望 | 気に入りました | まあまあ | 不親切 |
丁寧でした | アップデートしてから何度も落ちます | 注文した商品が二週間たっても届きません |
店員さんがとても親切でした | 返金を一か月待っています | 部屋は綺麗でしたが朝食がいまいち | 値段の割に質が良い |
写真と違う商品が届いた | レジをもっと増やしてほしい | 電話が全然つながらない | 電池が半日も持たない |
広告が多すぎて遊べない | 荷物が玄関の外に置かれていた | 二重に請求されました | 料理が冷めていた |
サイズが小さめです | ダークモードを追加してください | もう二度と買いません | 先生は優しいが待ち時間が長い |
なぜ毎回パスワードを入れるのか | 長年使っていますが問題ありません""",
    "Korean": """좋아요 | 감사합니다 | 별로예요 | 너무 비싸요 | 최고 | 느려요 | 안 열려요 | 만족 | 배송 빨라요 |
추천합니다 | 실망 | 그냥 그래요 | 불친절 | 고장났어요 | 환불해 주세요 | 예뻐요 | 최악 | 쓸만해요 | 답변이 없음 |
괜찮네요 | 업데이트 후에 앱이 계속 꺼져요 | 주문한 지 이 주가 지났는데 아직 안 왔어요 |
직원분들이 정말 친절하셨어요 | 한 달째 환불을 기다리고 있습니다 | 방은 깨끗했지만 조식이 별로였어요 |
가격 대비 품질이 좋아요 | 사진과 다른 상품이 왔습니다 | 주말에는 계산대를 더 열어 주세요 |
전화를 아무도 안 받아요 | 배터리가 반나절도 안 가요 | 광고가 너무 많아서 못 하겠어요 |
택배를 문 앞에 두고 갔어요 | 카드에서 두 번 결제됐어요 | 음식이 식어서 왔어요 | 사이즈가 작게 나왔어요 |
다크 모드 추가해 주세요 | 다시는 안 살 거예요 | 의사 선생님은 좋은데 대기가 길어요 |
왜 매번 비밀번호를 입력해야 하나요 | 오래 썼는데 문제 없었어요""",
    "Finglish": """kheili khoob | mersi | aali bood | bad nist | asan khoob nabood | daste shoma dard nakone |
kheyli geroon | razi hastam | dir resid | kar nemikone | bi keyfiat | mamnoon | eftezah | khoshgele |
pool mano bedid | ey badak nist | jaleb bood | tavsie nemikonam | zood resid | harf nadare |
app baad az update hamash baste mishe | sefaresham bad az do hafte hanooz nareside |
personel kheili mehraboon boodan | yek maahe montazere bargashte poolam hastam |
otagh tamiz bood vali sobhane jaleb nabood | be nesbate gheymatesh arzesh dare | ba aksesh kheyli fargh dasht |
hichkas telefono javab nemide | batrish ta zohr ham nemikeshe | tablighatesh kheili ziade adam khaste mishe |
peyk baste ro posht dar gozasht o raft | do bar az kartam pool kam shod | ghaza sard resid dastam |
sizesh kuchike ye size bozorgtar begirin | lotfan halate shab ezafe konid | dige az inja kharid nemikonam |
doctora khooban vali bayad saat ha montazer bemooni | chera har dafe bayad dobare ramz bezanam |
chand saale estefade mikonam moshkeli nadashtam | salam chetori mitoonam sefaresham ro peygiri konam""",
    "Arabizi": """kteer 7elo | shukran | mesh shaghal | ghali awi | kwayes | zay el zeft | momtaz |
el khedma zift | 3ajabni | mish 7elw | wasal bsor3a | ta7fa | msh kwayes | bade floosi | 7elwa awy |
ta3ban awi | mnee7 | wala wa7ed byrod | jamil jiddan | ma3 el salama | el app beye2fel lewa7do ba3d el update |
el talab et2akhar osbo3een w ma7adesh beyrod | el mowazafeen kano mo7tarameen awi |
ba2ali shahr mestani flosi terga3 | el oda kanet ndeefa bas el fetar we7esh | el se3r monaseb lel gawda |
el montag msh zay el soora khales | lazem yefta7o kasheer aktar | ma 7adan byrod 3al telephone |
el battariya ma btekfi nos nhar | fi e3lanat kteer ma fiyi el3ab | el mandoob sab el shan6a barra w meshi |
sa7abo el floos marteen mn el kart | el akl wesel bared | el ma2as sgheer khodo akbar |
ya reit tzido el dark mode | mesh hashtery men hena tany | el daktara kwayseen bas el entezar taweel |
leh kol marra lazem adakhal el password | ana bastakhdemo men zaman w mafish ay moshkela""",
    "Shlyokavitsa": """mnogo dobre | blagodarq | ne raboti | super e | mnogo skypo | nelosho | tova e boklik |
uzhasno | preporychvam | bavna dostavka | stava | haresa mi | nqma smisyl | vsichko e tochno | schupeno |
mersi mnogo | biva | lubezni hora | chakah dylgo | 6ibana rabota |
sled obnovlenieto prilojenieto postoqnno se sriva | poru4kata mi zakysnq s dve sedmici |
slujitelite bqha mnogo lubezni i vnimatelni | ot mesec 4akam da mi vyrnat parite |
stayata beshe chista no zakuskata slaba | cenata otgovarq na kachestvoto | produktyt ne prili4a na snimkata |
trqbva da ima poveche kasi prez uikenda | nikoi ne si vdiga telefona | bateriqta dyrji samo polovin den |
prekaleno mnogo reklami ne moje da se igrae | kurieryt ostavi paketa pred vratata | vzeha mi parite dva pyti |
hranata doide studena | nomeryt e po-malyk ot obichainoto | dobavete tymna tema molq |
nikoga poveche nqma da kupq ottuk | lekarite sa dobri no se chaka s chasove |
zashto vseki pyt trqbva da vyvejdam parolata | filma e strahoten gledaite go nepremenno""",
    "Greek, Hindi, Thai, Hebrew": """πολύ καλό | δεν δουλεύει | η εξυπηρέτηση ήταν κακή | ευχαριστώ |
बहुत अच्छा | काम नहीं करता | डिलीवरी बहुत देर से आई | शुक्रिया | ดีมาก | ใช้งานไม่ได้ | ส่งของช้ามาก | ขอบคุณ |
מצוין | לא עובד | שירות גרוע מאוד | תודה""",
}
# A word or two, as they stand in reviews and surveys.
OURS = {
    "en": """great | good | bad | awful | terrible | love it | nice one | meh | too slow | so so |
cheap and nasty | no complaints | rubbish | spot on | staff were lovely | never again | overpriced |
works fine | keeps crashing | late again | rude driver | well packed | waste of money | highly recommend |
cold food | poor quality | lost my parcel | goood | veryyy nice | thx | 10/10 would buy again | brilliant |
fab | garbage | decent | smooth checkout | wrong size | faulty charger | parking | waiting times | nothing |
everything | none | n/a really | cant log in | pls fix | gud app | dont buy | luv this | shocking |
refund please | boring | scam | ads ads ads | useless | helpful nurse | communication | friendly | cleanliness |
more staff | pricey but ok | delivery delayed | screen cracked | battery drains | bug fixes needed |
login issue | awesome | beautiful | perfect fit | it broke | hate it | worst ever | happy customer | price |
quality | very satisfied | amazing""",
    "fa": """عالی | خوبه | بد نیست | افتضاح | مزخرف | راضی ام | ممنون | خیلی خوب | دیر رسید | گرونه |
کیفیت پایین | حرف نداره | اصلا خوب نبود | پیشنهاد میشه | داغون | قشنگه | دوست داشتم | پولمو پس بدین |
بسته بندی ضعیف | معمولی | سلام | خراب شد | ارزش خرید نداره | سایزش کوچیکه | رنگش قشنگه | به موقع رسید |
کار نمیکنه | خيلي بد | عاليه | تشکر | دستتون درد نکنه | بی کیفیت | مناسب | زیبا | محصول اصل نیست |
برنامه هنگ میکنه | نمیشه وارد شد | پشتیبانی جواب نمیده | بد بود | خوب نیست | نظری ندارم | هیچی | همه چی عالی |
سریع و راحت | متوسط | مرسی | ناراضی | شیک | بدک نیست | جنس خوبی داره""",
    "ar": """ممتاز | جيد | سيء | رائع | جدا ممتاز | لا بأس | غير جيد | شكرا | خدمة سيئة | حلو | مو حلو |
مش كويس | تحفة | زي الزفت | وصل متأخر | غالي | السعر مرتفع | انصح به | لا انصح به | تمام | وايد زين | كتير حلو |
ما يشتغل | التطبيق يعلق | روعة | جميل | لا يعمل | نصب واحتيال | التوصيل بطيء | جودة عالية | ما عجبني |
برنامج رائع | ممتازه | روووعه | مره حلو | ماشي الحال | عادي | الله يعطيكم العافيه | فاشل | وسخ | الاكل بارد |
مقاس صغير | نوعيه رديئه | خامة ممتازة | سريع | لا شيء | لا يوجد | ليش كذا | عايز فلوسي | بطل""",
    "bg": """супер | добре | много добро | лошо | ужас | не работи | скъпо | страхотно | благодаря |
препоръчвам | бавно | кофти | става | нищо особено | мерси | чудесен | отвратително | върнете парите |
доволна съм | закъсня | добър филм | боклук | яко | тъпо | хубаво | счупен | няма | нямам забележки |
всичко е наред | учтив персонал | не ми хареса | топ | изгубено време | студена храна | малък размер |
качествено | браво | отличен | слаб | скучно | интересен | за втори път | бива | прекрасно | невероятно |
разочарована | ок е | много реклами | бърза доставка | никога повече""",
    "zh": """好 | 很好 | 不错 | 差评 | 一般 | 太贵了 | 物流快 | 质量差 | 還不錯 | 服務很差 | 謝謝 | 喜欢 |
垃圾 | 满意 | 推荐 | 退款 | 好用 | 卡顿 | 闪退 | 味道可以 | 医生很好 | 等太久 | 环境干净 | 態度不佳 | 还行 |
无 | 没有 | 便宜 | 可以 | 棒""",
}  # fmt: skip


def identify(*texts, declared=FIVE, sources=None):
    given = pd.Series(sources) if sources else None
    return identify_languages(pd.Series(texts, dtype="str"), declared, given).tolist()


def split(texts):
    return [text.strip() for text in texts.replace("\n", " ").split("|")]


def share(found, language):
    return sum(code == language for code in found) / len(found)


@pytest.mark.parametrize("language", FIVE)
def test_sentences_of_the_five_languages(language):
    bank = yaml.safe_load(
        (ROOT / "data" / "sample" / "texts" / f"{language}.yml").read_text(encoding="utf-8")
    )
    texts = bank["filler"] + bank["generic_negative"] + bank["needs"] + bank["churn_unhappy"]
    found = pd.Series(identify(*texts))
    assert (found == language).mean() >= 0.99, [t for t, f in zip(texts, found, strict=True) if f != language]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("عالی", "fa"), ("ممنون", "fa"), ("ممتازة", "ar"), ("ممتاز", "ar"), ("جيد جدا", "ar"), ("很好", "zh"),
        ("супер", "bg"), ("ok", "en"), ("Good", "en"), ("thanks a lot", "en"), ("App crashes", "en"),
        ("Goooood", "en"), ("رووووعة", "ar"), ("عاااالی", "fa"), ("𝗍𝗁𝖾 𝖺𝗉𝗉 𝗂𝗌 𝗀𝗈𝗈𝖽", "en"), ("لـــذيـــذ جدا", "ar"),
        ("اپلیکیشن crash میکنه after update", "fa"), ("بعد از آپدیت login نمیشه", "fa"),
        ("التطبيق يعلق بعد update الاخير", "ar"), ("这个app的customer service很差", "zh"),
        ("приложението crash-ва след последния update", "bg"), ("The اپلیکیشن keeps crashing after the update", "en"),
        ("كيفيت محصول خيلي بد بود", "fa"), ("خيلي عاليه واقعا", "fa"), ("اين دستگاه را خريدم ولي كار نمي كند", "fa"),
        ("ليش ما يشتغل عندي", "ar"), ("مش عارف اسجل دخول خالص", "ar"), ("وايد زين مشكورين", "ar"),
        ("شو هالخدمة التعبانة", "ar"), ("بزاف ديال المشاكل فهاد التطبيق", "ar"),
    ],
)  # fmt: skip
def test_mixed_dialect_and_other_keyboards(text, language):
    assert identify(text) == [language]


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "👍👍", "10/10", "...", "https://example.com/good-shop", "@anna @ben", "[EMAIL] [PHONE]",
        "service@example.com", "&nbsp;&amp;", "XXXX XXXX", "η εξυπηρέτηση ήταν κακή",
    ],
)  # fmt: skip
def test_what_says_no_language_or_another_alphabet_is_other(text):
    assert identify(text) == ["other"]


@pytest.mark.parametrize("language", FIVE)
def test_a_word_or_two_of_the_five_languages(language):
    texts = split(OURS[language])
    found = identify(*texts)
    assert share(found, language) >= 0.95, [t for t, f in zip(texts, found, strict=True) if f != language]


def test_other_languages_are_kept_out():
    """Long and short ones, told without knowing their source; a word of Macedonian is the hardest."""
    told = pd.DataFrame(
        [(name, text) for name, texts in OTHERS.items() for text in split(texts)], columns=["name", "text"]
    )
    told["out"] = identify_languages(told["text"], FIVE) == "other"
    long = told["text"].str.len() >= 20
    assert told["out"][long].mean() >= 0.97
    assert told["out"][~long].mean() >= 0.9
    assert told[long].groupby("name")["out"].mean().min() >= 0.85
    assert told[~long].groupby("name")["out"].mean().min() >= 0.5


@pytest.mark.parametrize("name", ["French", "Russian", "Urdu", "Shlyokavitsa", "Finglish", "Arabizi"])
def test_a_foreign_survey_keeps_its_short_answers_out(name):
    texts = split(OTHERS[name])
    found = identify(*texts, sources=["survey"] * len(texts))
    assert share([f for t, f in zip(texts, found, strict=True) if len(t) < 20], "other") >= 0.9


def test_a_source_decides_its_doubtful_texts():
    arabic = ["التطبيق لا يعمل بعد التحديث", "الخدمة سيئة جدا ولا احد يرد", "انصح به كل من يبحث عن جودة"] * 5
    persian = ["بعد از آپدیت برنامه باز نمیشه", "پشتیبانی جواب نمیده", "خیلی راضی هستم از خریدم"] * 5
    texts = [*arabic, "مناسب", *persian, "مناسب"]
    found = identify(*texts, sources=["souq"] * 16 + ["digikala"] * 16)
    assert (found[15], found[31]) == ("ar", "fa")


def test_a_source_does_not_force_what_is_clearly_another_language():
    texts = [
        *split(OURS["en"]),
        "Le magasin est propre",
        "обслужването е ужасно бавно",
        "很好用",
        "خیلی بد بود",
    ]
    assert identify(*texts, sources=["store"] * len(texts))[-4:] == ["other", "bg", "zh", "fa"]


def test_an_evenly_mixed_source_changes_nothing():
    english = ["The staff were very friendly", "It took weeks to get a refund"] * 10
    french = ["Le personnel est très aimable", "J'attends un remboursement depuis des semaines"] * 10
    short = ["Bundle", "menu", "Comcast", "spamfilter", "parfait", "no"]
    texts = [*english, *french, *short]
    assert identify(*texts, sources=["mixed"] * len(texts))[-6:] == identify(*short)


def test_the_order_of_rows_and_the_cut_into_batches_change_nothing():
    texts = pd.Series(
        [text for some in (*OURS.values(), OTHERS["French"], OTHERS["Finglish"]) for text in split(some)]
    )
    sources = pd.Series([f"s{at % 3}" for at in texts.index])
    whole = identify_languages(texts, FIVE, sources)
    turned = identify_languages(texts[::-1], FIVE, sources[::-1])
    parts = pd.concat([score_languages(texts[:100]), score_languages(texts[100:])])
    assert turned[::-1].equals(whole)
    assert settle_languages(parts, FIVE, sources).equals(whole)


def test_a_language_that_is_not_declared_is_other():
    assert identify("很好用", "fine, thanks", declared=["en"]) == ["other", "en"]
    assert identify("التطبيق لا يعمل ابدا", "خیلی خوبه", declared=["fa"]) == ["other", "fa"]
    assert identify("ممتاز", declared=["fa"]) == ["fa"]  # a word of both languages


def test_the_index_is_kept_and_a_missing_text_is_other():
    found = identify_languages(pd.Series(["很好", None, "很好"], index=[5, 7, 9]), FIVE)
    assert found.to_dict() == {5: "zh", 7: "other", 9: "zh"}
    assert identify_languages(pd.Series([], dtype="str"), FIVE).empty
    assert identify_languages(pd.Series([None], dtype="str"), FIVE, pd.Series(["s"])).tolist() == ["other"]


def test_what_is_other_is_counted_by_script():
    texts = pd.Series(["좋아요", "감사합니다", "très bien", "fine, thanks", "👍"])
    counted = count_other(texts, identify_languages(texts, FIVE))
    assert counted.values.tolist() == [["Hangul", 2, 0.4], ["Latin", 1, 0.2], ["none", 1, 0.2]]


@settings(max_examples=50)  # 2,000 were run once
@given(st.text(max_size=80), st.sampled_from([["en"], ["fa", "ar"], FIVE]))
def test_any_text_has_one_of_the_declared_languages_or_none(text, declared):
    text = text.encode("utf-8", "replace").decode("utf-8")
    assert identify(text, declared=declared)[0] in {*declared, "other"}


_ALL = [text for some in (*OURS.values(), *OTHERS.values()) for text in split(some)]
_SAYS_NOTHING = ["  ", "\n", "https://example.com/a?b=good", "www.example.org", "@SomeShop", "[EMAIL]", "[CARD]",
                 "a.b@example.com", "👍", "123", "&nbsp;", "…"]  # fmt: skip


@settings(max_examples=50)  # 2,000 were run once
@given(
    st.sampled_from(_ALL),
    st.lists(st.sampled_from(_SAYS_NOTHING), max_size=4),
    st.sampled_from(_SAYS_NOTHING),
)
def test_addresses_handles_marks_and_spaces_say_nothing_of_the_language(text, before, after):
    assert identify(text) == identify(f"{' '.join(before)} {text} {after}")


@pytest.mark.parametrize(
    "text", ["a" * 200_000, "ا" * 200_000, "a@" * 100_000, "http://" * 30_000, "e\u0301" * 100_000]
)
def test_very_long_words_are_read_in_passing(text):
    assert identify(text)[0] in {*FIVE, "other"}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("en", "en"), ("EN-us", "en"), ("English (UK)", "en"), ("eng", "en"), ("fa_IR", "fa"), ("Persian", "fa"),
        ("فارسی", "fa"), ("Farsi", "fa"), ("العربية", "ar"), ("ara", "ar"), ("ar-EG", "ar"), ("عربي", "ar"),
        ("Bulgarian", "bg"), ("bul", "bg"), ("български език", "bg"), ("zh-Hant-TW", "zh"), ("zh_CN.UTF-8", "zh"),
        ("Chinese (Traditional)", "zh"), ("Simplified Chinese", "zh"), ("cmn", "zh"), ("简体中文", "zh"),
        ("中文（繁體）", "zh"), ("fr", "other"), ("German", "other"), ("pt-BR", "other"), ("cs", "other"),
        ("Français", "other"), ("Deutsch", "other"), ("русский", "other"), ("日本語", "other"), ("nb-NO", "other"),
        ("und", None), ("", None), ("unknown", None), ("n/a", None), ("-", None),
    ],
)  # fmt: skip
def test_names_of_languages(name, code):
    assert read_language_name(name, FIVE) == code
