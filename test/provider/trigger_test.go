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

	"github.com/jeton-dev/jeton/test/official"
)

const (
	triggerAddress = "scaleway_function_trigger.main"
	accountID      = "33333333-3333-4333-8333-333333333333"
	queueBlock     = "  sqs {\n    queue = \"orders\"\n  }"
	subjectBlock   = "  nats {\n    subject = \"orders.>\"\n    account_id = \"fr-par/" + accountID + "\"\n  }"
)

// triggerOf returns the configuration of two functions, and of a trigger of one of
// them.
func triggerOf(functionID, more string) string {
	return nodeFunction("") + fmt.Sprintf(`
resource "scaleway_function" "other" {
  namespace_id = scaleway_function_namespace.main.id
  name         = "other"
  runtime      = "node22"
  handler      = "handler.handle"
  privacy      = "private"
}
resource "scaleway_function_trigger" "main" {
  function_id = %s
%s
}
`, functionID, more)
}

const ofMain = "scaleway_function.main.id"

func replaces(address string) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, plancheck.ResourceActionReplace)}}
}

func TestTrigger_CreateUpdateReplace(t *testing.T) {
	t.Parallel()
	w := start(t)
	inBlock := func(block, attribute string) tfjsonpath.Path {
		return tfjsonpath.New(block).AtSliceIndex(0).AtMapKey(attribute)
	}
	w.run(t,
		resource.TestStep{
			Config: w.config("%s", triggerOf(ofMain, queueBlock)),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(triggerAddress, tfjsonpath.New("name"), knownvalue.StringRegexp(regexp.MustCompile(`^tf-trigger-[a-z]+-[a-z]+$`))),
				statecheck.ExpectKnownValue(triggerAddress, tfjsonpath.New("function_id"), knownvalue.StringRegexp(regexp.MustCompile(`^fr-par/`))),
				statecheck.ExpectKnownValue(triggerAddress, inBlock("sqs", "queue"), knownvalue.StringExact("orders")),
				statecheck.ExpectKnownValue(triggerAddress, inBlock("sqs", "project_id"), knownvalue.StringExact(w.ProjectID)),
				statecheck.ExpectKnownValue(triggerAddress, inBlock("sqs", "region"), knownvalue.StringExact("fr-par")),
			},
		},
		resource.TestStep{
			Config:           w.config("%s", triggerOf(ofMain, "  name = \"orders\"\n  description = \"all of them\"\n"+queueBlock)),
			ConfigPlanChecks: updatesInPlace(triggerAddress),
			Check:            w.patched(t, "/triggers/", `{"name":"orders","description":"all of them"}`),
		},
		resource.TestStep{Config: w.config("%s", triggerOf(ofMain, strings.Replace(queueBlock, "orders", "returns", 1))), ConfigPlanChecks: replaces(triggerAddress)},
		resource.TestStep{Config: w.config("%s", triggerOf(ofMain, subjectBlock)), ConfigPlanChecks: replaces(triggerAddress)},
		resource.TestStep{
			Config:           w.config("%s", triggerOf(ofMain, strings.Replace(subjectBlock, "fr-par/", "", 1))),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
		},
	)
}

// The official provider reads neither the function nor the source, so that it replaces
// an imported trigger and ignores another function.
func TestTrigger_ReadsFunctionAndSource(t *testing.T) {
	t.Parallel()
	w := start(t)
	for name, block := range map[string]string{
		"queue": queueBlock, "subject": subjectBlock,
		"everything": strings.Replace(queueBlock, "\n  }", fmt.Sprintf("\n    project_id = %q\n    region = \"nl-ams\"\n  }", w.ProjectID), 1),
	} {
		c := w.commandLine(t, triggerOf(ofMain, block))
		c.apply()
		c.expectEmptyPlan()
		c.reimport(triggerAddress)
		c.expectEmptyPlan()
		c.configure(triggerOf(bareMain, block))
		c.expectEmptyPlan()
		c.configure(triggerOf("scaleway_function.other.id", block))
		if output := c.must("plan", "-no-color"); !strings.Contains(output, triggerAddress+" must be replaced") {
			t.Errorf("%s: another function does not replace the trigger:\n%s", name, output)
		}
		c.configure(triggerOf(ofMain, block))
		c.destroy()
	}
}

// The official provider sends a trigger without a source, and the service refuses it.
func TestTrigger_RequiresOneSource(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(t,
		w.refused(triggerOf(ofMain, ""), `add an sqs block with a queue, or a nats block with a subject`),
		w.refused(triggerOf(ofMain, queueBlock+"\n"+subjectBlock), `remove the sqs block or the nats block`),
		w.refused(triggerOf(ofMain, strings.Replace(subjectBlock, "orders.>", "orders..new", 1)), `"orders..new" is not a valid subject: write tokens separated by dots`),
		w.refused(triggerOf(ofMain, strings.Replace(subjectBlock, "orders.>", "orders.>.new", 1)), `is not a valid subject`),
		w.refused(triggerOf(ofMain, strings.Replace(subjectBlock, "orders.>", "new orders", 1)), `is not a valid subject`),
		w.refused(triggerOf(ofMain, queueBlock+"\n"+queueBlock), `at most 1`),
		w.refused(triggerOf(ofMain, "  sqs {\n    queue = \"\"\n  }"), `queue`),
	)
	w.expectRequests(t, 0, "POST", "/triggers$")
}

// A trigger in status error fails the apply with the service's message, is stored, and
// is replaced by the next apply.
func TestTrigger_ErrorFailsApply(t *testing.T) {
	t.Parallel()
	const why = `"status":"error","error_message":"no such queue"`
	w := start(t)
	w.front.Rewrite(1, "POST", "/triggers$", `"status":"creating","error_message":null`, why)
	c := w.commandLine(t, triggerOf(ofMain, queueBlock))
	output, status := c.run("apply", "-no-color", "-auto-approve")
	if status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	expectOnce(t, output, "The trigger did not become ready")
	expectOnce(t, strings.Join(strings.Fields(output), " "), "no such queue")
	expectOnce(t, c.apply(), "1 added, 0 changed, 1 destroyed")
	w.front.Rewrite(2, "GET", "/triggers/", `"status":"ready","error_message":null`, why)
	expectOnce(t, c.must("plan", "-no-color"), "The trigger is not ready")
	must(w.api.DeleteTrigger(&function.DeleteTriggerRequest{TriggerID: strings.TrimPrefix(c.attribute(triggerAddress, "id"), "fr-par/")}))
	expectOnce(t, c.apply(), "1 added, 0 changed, 0 destroyed")
}

// The state of a trigger that the official provider imported contains neither the
// function nor the source. Without a refresh they are added and nothing is replaced,
// unless the configuration describes another trigger.
func TestTrigger_ImportedByOfficialProvider(t *testing.T) {
	t.Parallel()
	w := start(t)
	objects := must(official.MakeObjects(t.Context(), w.api))
	imported := objects[official.QueueTrigger].With(nil, official.Values{"function_id": nil, "sqs": []any{}, "description": ""})
	for name, test := range map[string]struct {
		block  string
		status int
		says   string
	}{
		"the same":       {"{\n    queue = \"orders\"\n  }", 0, "0 added, 1 changed, 0 destroyed"},
		"another source": {"{\n    queue = \"returns\"\n  }", 1, "calls another function, or has another source"},
	} {
		object := imported.With(official.Arguments{"sqs": test.block}, nil)
		c := w.commandLine(t, official.Requiring(official.Address)+object.Configuration("main"))
		c.write("terraform.tfstate", must(official.State(map[string]official.Object{"main": object})))
		w.front.Forget()
		output, status := c.run("apply", "-no-color", "-auto-approve", "-refresh=false")
		if text := strings.Join(strings.Fields(output), " "); status != test.status || !strings.Contains(text, test.says) {
			t.Errorf("%s: got exit status %d:\n%s", name, status, output)
		}
		w.expectRequests(t, 0, "PATCH", "")
		if status == 0 {
			c.expectEmptyPlan()
		}
	}
}

// The API has sources for which the resource has no block.
func TestTrigger_ImportOfUnsupportedSource(t *testing.T) {
	t.Parallel()
	w := start(t)
	n := w.readyNamespace(&function.CreateNamespaceRequest{Name: "elsewhere"})
	f := must(w.api.CreateFunction(&function.CreateFunctionRequest{Name: "f", NamespaceID: n.ID, Runtime: "node22"}))
	made := must(w.api.CreateTrigger(&function.CreateTriggerRequest{Name: "t", FunctionID: f.ID, SqsConfig: &function.CreateTriggerRequestSqsClientConfig{
		Endpoint: "https://sqs.example.com", QueueURL: "https://sqs.example.com/1/q", AccessKey: "AK", SecretKey: "SK",
	}}))
	c := w.commandLine(t, fmt.Sprintf("resource \"scaleway_function_trigger\" \"main\" {\n  function_id = %q\n%s\n}", f.ID, queueBlock))
	expectOnce(t, c.must("import", "-no-color", triggerAddress, "fr-par/"+made.ID), "The trigger has an unsupported source")
}
