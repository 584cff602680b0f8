package sip

// spoken is a language of the recordings: what calls say in it, and what was recorded for that.
//
// A recording cannot know the name of the service, so each sentence has two forms: the one that a
// message holds, with {} for the name, and the one that is heard, without it.
type spoken struct {
	// tag is the folder of the recordings.
	tag string
	// voice is the name of the language in espeak-ng, which made them.
	voice string
	// sentences are the recordings besides the digits, by the names of their files.
	sentences []sentence
	// digits are written out where the voice would read the figures otherwise.
	digits []string
}

type sentence struct{ name, message, heard string }

// languages are those that the API has a voice for (core of the API, supported languages of calls).
var languages = []spoken{
	{tag: "ca", voice: "ca", sentences: []sentence{
		{"code", "El vostre codi de verificació per a {} és:", "El vostre codi de verificació és:"},
		{"again", "Us ho repetim, el vostre codi és:", "Us ho repetim, el vostre codi és:"},
		{"press", "Us truca {}. Per escoltar el vostre codi de verificació, premeu qualsevol tecla.", "Per escoltar el vostre codi de verificació, premeu qualsevol tecla."},
	}},
	{tag: "da", voice: "da", sentences: []sentence{
		{"code", "Din bekræftelseskode til {} er:", "Din bekræftelseskode er:"},
		{"again", "Vi gentager, din kode er:", "Vi gentager, din kode er:"},
		{"press", "Dette er et opkald fra {}. Tryk på en vilkårlig tast for at høre din bekræftelseskode.", "Tryk på en vilkårlig tast for at høre din bekræftelseskode."},
	}},
	{tag: "de", voice: "de", sentences: []sentence{
		{"code", "Ihr Bestätigungscode für {} lautet:", "Ihr Bestätigungscode lautet:"},
		{"again", "Noch einmal, Ihr Code lautet:", "Noch einmal, Ihr Code lautet:"},
		{"press", "Dies ist ein Anruf von {}. Um Ihren Bestätigungscode zu hören, drücken Sie eine beliebige Taste.", "Um Ihren Bestätigungscode zu hören, drücken Sie eine beliebige Taste."},
	}},
	{tag: "en", voice: "en-us", sentences: english},
	{tag: "en-GB", voice: "en-gb", sentences: english},
	{tag: "es", voice: "es", sentences: []sentence{
		{"code", "Su código de verificación de {} es:", "Su código de verificación es:"},
		{"again", "Repetimos, su código es:", "Repetimos, su código es:"},
		{"press", "Esta es una llamada de {}. Para escuchar su código de verificación, pulse cualquier tecla.", "Para escuchar su código de verificación, pulse cualquier tecla."},
	}},
	{tag: "fi", voice: "fi", sentences: []sentence{
		{"code", "Vahvistuskoodisi palveluun {} on:", "Vahvistuskoodisi on:"},
		{"again", "Toistamme koodin:", "Toistamme koodin:"},
		{"press", "Tämä puhelu tulee palvelusta {}. Kuulet vahvistuskoodisi painamalla mitä tahansa näppäintä.", "Kuulet vahvistuskoodisi painamalla mitä tahansa näppäintä."},
	}},
	{tag: "fr", voice: "fr-fr", sentences: []sentence{
		{"code", "Votre code de vérification {} est :", "Votre code de vérification est :"},
		{"again", "Nous répétons, votre code est :", "Nous répétons, votre code est :"},
		{"press", "Ici {}. Pour entendre votre code de vérification, appuyez sur n'importe quelle touche.", "Pour entendre votre code de vérification, appuyez sur n'importe quelle touche."},
	}},
	{tag: "it", voice: "it", sentences: []sentence{
		{"code", "Il tuo codice di verifica {} è:", "Il tuo codice di verifica è:"},
		{"again", "Ripetiamo, il tuo codice è:", "Ripetiamo, il tuo codice è:"},
		{"press", "Questa è una chiamata da {}. Per ascoltare il tuo codice di verifica, premi un tasto qualsiasi.", "Per ascoltare il tuo codice di verifica, premi un tasto qualsiasi."},
	}},
	// The voice reads kana and no kanji.
	{tag: "ja", voice: "ja", sentences: []sentence{
		{"code", "{} の認証コードは、", "にんしょう コードは、"},
		{"again", "繰り返します。認証コードは、", "くりかえします。にんしょう コードは、"},
		{"after", "です。", "です。"},
		{"press", "{} からのお電話です。認証コードをお聞きになるには、いずれかのキーを押してください。", "にんしょう コードを おききになるには、いずれかの キーを おしてください。"},
	}, digits: []string{"ぜろ", "いち", "に", "さん", "よん", "ご", "ろく", "なな", "はち", "きゅう"}},
	{tag: "ko", voice: "ko", sentences: []sentence{
		{"code", "{} 인증번호는", "인증번호는"},
		{"again", "다시 한번 말씀드립니다. 인증번호는", "다시 한번 말씀드립니다. 인증번호는"},
		{"after", "입니다.", "입니다."},
		{"press", "{}에서 드리는 전화입니다. 인증번호를 들으시려면 아무 버튼이나 눌러 주세요.", "인증번호를 들으시려면 아무 버튼이나 눌러 주세요."},
	}, digits: []string{"공", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구"}},
	{tag: "nb", voice: "nb", sentences: []sentence{
		{"code", "Bekreftelseskoden din for {} er:", "Bekreftelseskoden din er:"},
		{"again", "Én gang til, koden din er:", "Én gang til, koden din er:"},
		{"press", "Dette er en oppringning fra {}. Trykk på en hvilken som helst tast for å høre bekreftelseskoden din.", "Trykk på en hvilken som helst tast for å høre bekreftelseskoden din."},
	}},
	{tag: "nl", voice: "nl", sentences: []sentence{
		{"code", "Uw verificatiecode voor {} is:", "Uw verificatiecode is:"},
		{"again", "Nogmaals, uw code is:", "Nogmaals, uw code is:"},
		{"press", "U wordt gebeld door {}. Druk op een willekeurige toets om uw verificatiecode te horen.", "Druk op een willekeurige toets om uw verificatiecode te horen."},
	}},
	{tag: "pl", voice: "pl", sentences: []sentence{
		{"code", "Kod weryfikacyjny {} to:", "Kod weryfikacyjny to:"},
		{"again", "Powtarzamy, kod to:", "Powtarzamy, kod to:"},
		{"press", "Dzwonimy w imieniu {}. Aby usłyszeć kod weryfikacyjny, proszę nacisnąć dowolny klawisz.", "Aby usłyszeć kod weryfikacyjny, proszę nacisnąć dowolny klawisz."},
	}},
	{tag: "pt", voice: "pt", sentences: []sentence{
		{"code", "O seu código de verificação {} é:", "O seu código de verificação é:"},
		{"again", "Repetimos, o seu código é:", "Repetimos, o seu código é:"},
		{"press", "Esta é uma chamada de {}. Para ouvir o seu código de verificação, prima qualquer tecla.", "Para ouvir o seu código de verificação, prima qualquer tecla."},
	}},
	{tag: "pt-BR", voice: "pt-br", sentences: []sentence{
		{"code", "Seu código de verificação {} é:", "Seu código de verificação é:"},
		{"again", "Repetindo, seu código é:", "Repetindo, seu código é:"},
		{"press", "Esta é uma ligação de {}. Para ouvir seu código de verificação, pressione qualquer tecla.", "Para ouvir seu código de verificação, pressione qualquer tecla."},
	}},
	{tag: "ru", voice: "ru", sentences: []sentence{
		{"code", "Ваш код подтверждения {}:", "Ваш код подтверждения:"},
		{"again", "Повторяем, ваш код:", "Повторяем, ваш код:"},
		{"press", "Вам звонят от имени {}. Чтобы услышать код подтверждения, нажмите любую клавишу.", "Чтобы услышать код подтверждения, нажмите любую клавишу."},
	}},
	{tag: "sv", voice: "sv", sentences: []sentence{
		{"code", "Din verifieringskod för {} är:", "Din verifieringskod är:"},
		{"again", "En gång till, din kod är:", "En gång till, din kod är:"},
		{"press", "Det här är ett samtal från {}. Tryck på valfri knapp för att höra din verifieringskod.", "Tryck på valfri knapp för att höra din verifieringskod."},
	}},
	// The voice cmn spells Mandarin in English letters.
	{tag: "zh", voice: "cmn-latn-pinyin", sentences: []sentence{
		{"code", "您的 {} 验证码是：", "您的验证码是："},
		{"again", "再重复一遍，您的验证码是：", "再重复一遍，您的验证码是："},
		{"press", "这是 {} 的来电。请按任意键收听您的验证码。", "请按任意键收听您的验证码。"},
	}},
	{tag: "zh-HK", voice: "yue", sentences: []sentence{
		{"code", "您的 {} 驗證碼是：", "您的驗證碼是："},
		{"again", "再重複一次，您的驗證碼是：", "再重複一次，您的驗證碼是："},
		{"press", "這是 {} 的來電。請按任意鍵收聽您的驗證碼。", "請按任意鍵收聽您的驗證碼。"},
	}},
}

var english = []sentence{
	{"code", "Your {} verification code is:", "Your verification code is:"},
	{"again", "Once again, your code is:", "Once again, your code is:"},
	{"press", "This is a call from {}. To hear your verification code, press any key.", "To hear your verification code, press any key."},
}
