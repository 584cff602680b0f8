package signin

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/verifytest"
)

func begin(t *testing.T) (*verifytest.Server, *SignIn) {
	srv := verifytest.Start(t)
	return srv, New(srv.AccountSID, srv.AuthToken, srv.ServiceSID, srv.Client())
}

func TestTheCodeThatWasSentSignsIn(t *testing.T) {
	srv, app := begin(t)
	if err := app.Begin("+34612345678"); err != nil {
		t.Fatal(err)
	}
	if ok, err := app.Finish("+34612345678", srv.Code(t, "+34612345678")); !ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
}

func TestACodeIsGoodForTenMinutes(t *testing.T) {
	srv, app := begin(t)
	if err := app.Begin("+34612345678"); err != nil {
		t.Fatal(err)
	}
	code := srv.Code(t, "+34612345678")
	srv.Advance(10 * time.Minute)
	if ok, err := app.Finish("+34612345678", code); ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
}

func TestAWrongCodeDoesNotSignIn(t *testing.T) {
	srv, app := begin(t)
	srv.SetRules(verifytest.Rule{To: "+346*", Code: "4711"})
	if err := app.Begin("+34612345678"); err != nil {
		t.Fatal(err)
	}
	if ok, err := app.Finish("+34612345678", "0000"); ok || err != nil {
		t.Errorf("a wrong code: %v, %v", ok, err)
	}
}

func TestAHundredPeopleAtTheSameTime(t *testing.T) {
	srv, app := begin(t)
	var people sync.WaitGroup
	for i := range 100 {
		to := fmt.Sprintf("+346123458%02d", i)
		people.Go(func() {
			if err := app.Begin(to); err != nil {
				t.Errorf("%s: %v", to, err)
				return
			}
			if ok, err := app.Finish(to, srv.Code(t, to)); !ok || err != nil {
				t.Errorf("%s: %v, %v", to, ok, err)
			}
		})
	}
	people.Wait()
}
