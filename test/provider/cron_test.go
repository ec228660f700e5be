package provider_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

const cronAddress = "scaleway_function_cron.main"

// cronOf returns the configuration of two functions, and of a cron of the function
// main with more arguments.
func cronOf(arguments string) string {
	return nodeFunction("") + `
resource "scaleway_function" "other" {
  namespace_id = scaleway_function_namespace.main.id
  name         = "other"
  runtime      = "node22"
  handler      = "handler.handle"
  privacy      = "private"
}
resource "scaleway_function_cron" "main" {
` + arguments + `
}
`
}

const (
	everyHour = "  function_id = scaleway_function.main.id\n  schedule    = \"0 * * * *\"\n"
	// bareMain is the id of the function main without its region.
	bareMain = `split("/", scaleway_function.main.id)[1]`
)

func updatesInPlace(address string) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate)}}
}

// patched returns a check that exactly one PATCH was sent, with this body.
func (w *world) patched(t *testing.T, path, want string) resource.TestCheckFunc {
	return func(*terraformState) error {
		defer w.front.Forget()
		if sent := w.expectRequests(t, 1, "PATCH", path); len(sent) == 1 && sent[0].Body != want {
			return fmt.Errorf("got request %s, want %s", sent[0].Body, want)
		}
		return nil
	}
}

func TestCron_CreateUpdateImport(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(t,
		resource.TestStep{
			Config: w.config("%s", cronOf(everyHour+"  name = \"hourly\"\n  args = jsonencode({ a = 1 })\n  timeouts {\n    create = \"1m\"\n  }\n")),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(cronAddress, tfjsonpath.New("id"), knownvalue.StringRegexp(regexp.MustCompile(`^fr-par/`))),
				statecheck.ExpectKnownValue(cronAddress, tfjsonpath.New("function_id"), knownvalue.StringRegexp(regexp.MustCompile(`^fr-par/`))),
				statecheck.ExpectKnownValue(cronAddress, tfjsonpath.New("name"), knownvalue.StringExact("hourly")),
				statecheck.ExpectKnownValue(cronAddress, tfjsonpath.New("args"), knownvalue.StringExact(`{"a":1}`)),
				statecheck.ExpectKnownValue(cronAddress, tfjsonpath.New("status"), knownvalue.StringExact("ready")),
				statecheck.ExpectKnownValue(cronAddress, tfjsonpath.New("region"), knownvalue.StringExact("fr-par")),
			},
		},
		resource.TestStep{ResourceName: cronAddress, ImportState: true, ImportStateVerify: true, ImportStateVerifyIgnore: []string{"timeouts"}},
		resource.TestStep{
			Config:           w.config("%s", cronOf("  function_id = scaleway_function.main.id\n  schedule = \"@daily\"\n  name = \"daily\"\n  args = jsonencode({ a = 2 })\n")),
			ConfigPlanChecks: updatesInPlace(cronAddress),
			Check:            w.patched(t, "/crons/", `{"schedule":"@daily","args":{"a":2},"name":"daily"}`),
		},
		resource.TestStep{
			// A removed name is kept, and removed arguments are cleared.
			Config:           w.config("%s", cronOf("  function_id = scaleway_function.main.id\n  schedule = \"@daily\"\n")),
			ConfigPlanChecks: updatesInPlace(cronAddress),
			Check:            w.patched(t, "/crons/", `{"args":{}}`),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(cronAddress, tfjsonpath.New("name"), knownvalue.StringExact("daily")),
				statecheck.ExpectKnownValue(cronAddress, tfjsonpath.New("args"), knownvalue.StringExact("{}")),
			},
		},
	)
}

// The official provider ignores a change of the function, plans it again each time, and
// treats another spelling of the same id as a change.
func TestCron_ChangeOfFunction(t *testing.T) {
	t.Parallel()
	w := start(t)
	empty := resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}
	w.run(t,
		resource.TestStep{Config: w.config("%s", cronOf(everyHour))},
		resource.TestStep{
			Config:           w.config("%s", cronOf(strings.Replace(everyHour, "scaleway_function.main.id", bareMain, 1))),
			ConfigPlanChecks: empty,
		},
		resource.TestStep{
			Config:           w.config("%s", cronOf(strings.Replace(everyHour, "function.main", "function.other", 1))),
			ConfigPlanChecks: updatesInPlace(cronAddress),
			Check: func(s *terraformState) error {
				other := s.RootModule().Resources["scaleway_function.other"].Primary.ID
				id := strings.TrimPrefix(s.RootModule().Resources[cronAddress].Primary.ID, "fr-par/")
				if c := must(w.api.GetCron(&function.GetCronRequest{CronID: id})); "fr-par/"+c.FunctionID != other {
					return fmt.Errorf("got function %s, want %s", c.FunctionID, other)
				}
				return w.patched(t, "/crons/", `{"function_id":"`+strings.TrimPrefix(other, "fr-par/")+`"}`)(s)
			},
		},
	)
}

// The official provider compares arguments as text, requires them although the service
// does not, and crashes without arguments.
func TestCron_ComparesArgumentsAsJSON(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, cronOf(everyHour+`  args = "{ \"b\": [1, 2], \"a\": {\"y\": 12345678901234567890, \"x\": null} }"`))
	c.apply()
	c.expectEmptyPlan()
	if sent := w.expectRequests(t, 1, "POST", "/crons$"); !strings.Contains(sent[0].Body, `"args":{"a":{"x":null,"y":12345678901234567890},"b":[1,2]}`) {
		t.Errorf("got request %s", sent[0].Body)
	}
	c.configure(cronOf(everyHour + `  args = jsonencode({ a = { x = null, y = 12345678901234567890 }, b = [1, 2] })`))
	c.expectEmptyPlan()
	c.configure(cronOf(everyHour))
	c.apply()
	c.expectEmptyPlan()
	w.front.Rewrite(1, "GET", "/crons/", `"args":{}`, `"args":null`)
	expectWarnings(t, c.must("plan", "-no-color", "-detailed-exitcode"), 0)
}

// The official provider does not store a cron that does not become ready.
func TestCron_IsStoredBeforeItIsReady(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.front.Rewrite(1, "POST", "/crons$", `"status":"pending"`, `"status":"error"`)
	c := w.commandLine(t, cronOf(everyHour))
	output, status := c.run("apply", "-no-color", "-auto-approve")
	if status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	expectOnce(t, output, "The cron did not become ready")
	expectOnce(t, output, `is in status "error"`)
	failed := c.attribute(cronAddress, "id")
	expectOnce(t, c.apply(), "1 added, 0 changed, 1 destroyed")
	if _, err := w.api.GetCron(&function.GetCronRequest{CronID: strings.TrimPrefix(failed, "fr-par/")}); err == nil {
		t.Error("the failed cron still exists")
	}
	w.front.Rewrite(2, "GET", "/crons/", `"status":"ready"`, `"status":"error"`)
	expectOnce(t, c.must("plan", "-no-color"), "The cron is not ready")
}

// A deleted cron is created again, and destroying it is not an error.
func TestCron_DeletedOutsideTerraform(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, cronOf(everyHour))
	c.apply()
	remove := func() {
		must(w.api.DeleteCron(&function.DeleteCronRequest{CronID: strings.TrimPrefix(c.attribute(cronAddress, "id"), "fr-par/")}))
	}
	remove()
	expectOnce(t, c.apply(), "1 added, 0 changed, 0 destroyed")
	remove()
	c.must("destroy", "-no-color", "-auto-approve", "-refresh=false")
}

func TestCron_RefusesInvalidArguments(t *testing.T) {
	t.Parallel()
	w := start(t)
	cron := func(schedule, more string) string {
		return fmt.Sprintf("resource \"scaleway_function_cron\" \"main\" {\n  function_id = \"11111111-1111-4111-8111-111111111111\"\n  schedule = %q\n%s\n}", schedule, more)
	}
	w.run(t,
		w.refused(cron("every hour", ""), `"every hour" is not a valid cron expression .*write minute, hour`),
		w.refused(cron("* * * * * *", ""), `is not a valid cron expression`),
		w.refused(cron("@every 5m", ""), `@every is not supported`),
		w.refused(cron("TZ=Europe/Paris 0 0 * * *", ""), `a time zone cannot be given`),
		w.refused(cron("* * * * *", `args = "[1]"`), `The value is not a JSON object: write one, for example`),
		// An empty name is not set, so the request is sent; the function does not exist.
		w.refused(cron("* * * * *", `name = ""`), `correct function_id`),
		w.refused(cron("* * * * *", `region = "nl-ams"`+"\n"+`timeouts { create = "x" }`), `Invalid timeout`),
		w.refused(strings.Replace(cron("* * * * *", `region = "nl-ams"`), `"1111`, `"fr-par/1111`, 1), `Both must be the same`),
	)
	// The service accepts 7 for Sunday; the usual parser does not.
	for _, schedule := range []string{"0 0 * * 7", "0 0 * * 5-7", "0 0 * * 1,7", "0 0 * * */7"} {
		c := w.commandLine(t, cron(schedule, ""))
		c.must("validate", "-no-color")
	}
}

func TestCronData_ByNameOrID(t *testing.T) {
	t.Parallel()
	w := start(t)
	n := w.readyNamespace(&function.CreateNamespaceRequest{Name: "crons"})
	f := must(w.api.CreateFunction(&function.CreateFunctionRequest{Name: "f", NamespaceID: n.ID, Runtime: "node22"}))
	made := map[string]*function.Cron{}
	for _, name := range []string{"wanted", "twice", "twice"} {
		made[name] = must(w.api.CreateCron(&function.CreateCronRequest{FunctionID: f.ID, Name: &name, Schedule: "@daily", Args: &scw.JSONObject{"a": "b"}}))
	}
	id := made["wanted"].ID
	data := func(label, arguments string) string {
		return fmt.Sprintf("data \"scaleway_function_cron\" %q {\n%s\n}\n", label, arguments)
	}
	byName := func(name string) string { return fmt.Sprintf("function_id = %q\nname = %q", f.ID, name) }
	configuration, checks := "", []statecheck.StateCheck{}
	for label, arguments := range map[string]string{
		"bare": fmt.Sprintf("cron_id = %q", id), "regional": fmt.Sprintf("cron_id = \"fr-par/%s\"", id), "named": byName("wanted"),
	} {
		configuration += data(label, arguments)
		for attribute, want := range map[string]string{"id": "fr-par/" + id, "name": "wanted", "schedule": "@daily", "args": `{"a":"b"}`, "status": "ready", "region": "fr-par"} {
			checks = append(checks, statecheck.ExpectKnownValue("data.scaleway_function_cron."+label, tfjsonpath.New(attribute), knownvalue.StringExact(want)))
		}
	}
	w.run(t,
		w.refused(data("main", byName("want")), `No such cron.*with the name "want" in function fr-par/`+f.ID),
		w.refused(data("main", byName("twice")), `Ambiguous cron name.*2 crons with the name "twice".*set cron_id`),
		w.refused(data("main", `cron_id = "11111111-1111-4111-8111-111111111111"`), `Cron fr-par/11111111-1111-4111-8111-111111111111 does not exist`),
		w.refused(data("main", `name = "wanted"`), `set cron_id, or set function_id and name`),
		w.refused(data("main", byName("wanted")+fmt.Sprintf("\ncron_id = %q", id)), `remove cron_id, or remove function_id and name`),
		resource.TestStep{Config: w.config("%s", configuration), ConfigStateChecks: checks},
	)
}
