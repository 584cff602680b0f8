package smtp

import (
	"strings"
	"testing"
)

const sample = "From: Acme <codes@acme.example>\r\nTo: pat@example.com\r\nDate: Thu, 02 Jan 2031 03:00:00 +0000\r\n" +
	"Message-ID: <1@acme.example>\r\nSubject: =?utf-8?q?c=C3=B3digo?=\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>\r\n" +
	"--b\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nTu c=C3=B3digo\r\nes 123456\r\n--b--\r\n"

func TestTheTextOfAMailIsRead(t *testing.T) {
	for name, raw := range map[string]string{
		"quoted-printable": sample,
		"base64":           strings.NewReplacer("quoted-printable", "base64", "Tu c=C3=B3digo\r\nes 123456", "VHUgY8OzZGlnbwplcyAxMjM0NTY=").Replace(sample),
		"as it is":         strings.NewReplacer("quoted-printable", "8bit", "=C3=B3digo\r\nes", "ódigo\r\nes").Replace(sample),
	} {
		got, err := readMail([]byte(raw))
		if err != nil || got.from != "codes@acme.example" || got.subject != "código" || strings.TrimSpace(got.text) != "Tu código\nes 123456" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func FuzzReadMail(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("From: a@b\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if got, err := readMail(raw); err == nil && (got.from == "" || !strings.HasSuffix(string(got.header), "\r\n")) {
			t.Errorf("%q: %+v", raw, got)
		}
	})
}
