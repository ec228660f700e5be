package e2e_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
)

// A cron calls a private function without a token. If the server was stopped for hours,
// one call makes up for the missed ones.
func TestCron_CallsPrivateFunctionAndCatchesUp(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	// At half past, no hour ends during the test.
	began := time.Now()
	start := began.Truncate(time.Hour).Add(30 * time.Minute)
	w := newWorld(t, func(c *server.Config) {
		c.Now = func() time.Time { return start.Add(time.Since(began) + time.Duration(ahead.Load())) }
	})
	request := python(w.namespace("crons").ID, "f")
	request.Privacy = function.FunctionPrivacyPrivate
	f := w.function(request, pythonHandler("assert event['body'] == '{\"to\":\"you\"}' and event['httpMethod'] == 'POST', event; return 'done'"))
	cron := must[*function.Cron](t)(w.CreateCron(&function.CreateCronRequest{
		FunctionID: f.ID, Schedule: "0 * * * *", Args: &scw.JSONObject{"to": "you"},
	}))
	must[*function.Cron](t)(w.WaitForCron(&function.WaitForCronRequest{CronID: cron.ID, RetryInterval: often}))
	w.Stop()
	ahead.Store(int64(3 * time.Hour))
	w.restart()
	await.True(t, "the cron has called", func() bool {
		return strings.Contains(w.Log.String(), "cron_id="+cron.ID)
	})
	wantLines(t, w.Log.String(), `msg="the call of a cron succeeded" cron_id=`+cron.ID+` function_id=`+f.ID+` planned=\S+ function=crons/f late=\S+ status=200$`)
	w.restart()
	// The next server does not repeat the call.
	if got := strings.Count(w.Log.String(), "cron_id="+cron.ID); got != 1 {
		t.Errorf("got %d calls", got)
	}
}
