package reconcile_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/functions"
)

func (f *fixture) newDomain() functions.Domain {
	f.Helper()
	fn := f.newFunction()
	d := functions.Domain{
		ID: uuid.NewString(), Region: fn.Region, ProjectID: fn.ProjectID, FunctionID: fn.ID, Hostname: "www.example.com",
		Status: functions.Pending, CreatedAt: time.Now(),
	}
	f.put(d)
	f.after(time.Millisecond)
	return d
}

func (f *fixture) wantDomain(id string, status functions.Status, message string) {
	f.Helper()
	if d, _ := get(f, id, functions.Tx.Domain); d.Status != status || !strings.HasPrefix(d.ErrorMessage, message) || (message == "") != (d.ErrorMessage == "") {
		f.Errorf("got domain %s %q, want %s %q", d.Status, d.ErrorMessage, status, message)
	}
}

func TestDomain_IsVerifiedEveryFiveSeconds(t *testing.T) {
	run(t, func(f *fixture) {
		names := &fakeNames{missing: 2}
		f.config.Names = names
		f.start()
		d := f.newDomain()
		f.after(9 * time.Second)
		f.wantDomain(d.ID, functions.Pending, "")
		f.after(time.Second)
		f.wantDomain(d.ID, functions.Ready, "")
		if got := names.count("proof"); got != 3 {
			f.Errorf("got %d look-ups, want 3", got)
		}
	})
}

func TestDomain_FailsWithoutProofAfterThreeMinutes(t *testing.T) {
	run(t, func(f *fixture) {
		f.config.Names = &fakeNames{missing: 1 << 30}
		f.start()
		d := f.newDomain()
		f.after(179 * time.Second)
		f.wantDomain(d.ID, functions.Pending, "")
		f.after(10 * time.Second)
		f.wantDomain(d.ID, functions.Failed, "failed to create domain: check that the domain correctly points to the function URL (https://")
	})
}

func TestDomain_FailsWithoutCertificate(t *testing.T) {
	run(t, func(f *fixture) {
		f.config.Certificates = fakeCertificates{errors.New("rate limited")}
		f.start()
		f.wantDomain(f.newDomain().ID, functions.Failed, "failed to generate TLS certificates")
	})
}

func TestDomain_IsReadyWithProofAndCertificate(t *testing.T) {
	run(t, func(f *fixture) {
		f.config.Names, f.config.Certificates = &fakeNames{}, fakeCertificates{}
		f.start()
		f.wantDomain(f.newDomain().ID, functions.Ready, "")
	})
}
