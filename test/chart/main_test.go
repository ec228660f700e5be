package main

import (
	"bytes"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/cli/values"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	"sigs.k8s.io/yaml"
)

const chartDir = "../../deploy/helm/jeton"

// variants are values that together use every template.
var variants = map[string][]string{
	"storage":  {"storageSecret=storage"},
	"trial":    {"trial.enabled=true", "replicas=1"},
	"emptyDir": {"trial.enabled=true", "trial.storageClassName=-"},
	"all": {
		"storageSecret=storage", "sealingKeySecret=key", "autoscaling.enabled=true", "serviceMonitor.enabled=true",
		"image.pullSecrets={registry}", "image.tag=1.2.3", "functions.runtimeClassName=gvisor", "functions.quota.pods=100",
		"ingress.enabled=true", "ingress.className=nginx", "ingress.apiHost=api.example.com", "ingress.functionHosts={*.fnc.example.com}",
		"gatewayAPI.enabled=true", "gatewayAPI.apiHost=api.example.com", "gatewayAPI.functionHosts={*.fnc.example.com}",
		"gatewayAPI.parentRefs[0].name=public", "settings.max-scale=10", "apiURL=https://api.example.com",
		"gatewayURL=https://fnc.example.com", "priorityClassName=high",
		"networkPolicy.egress.allowBuilds[0].to[0].ipBlock.cidr=10.1.2.3/32", "networkPolicy.egress.allowBuilds[0].ports[0].port=443",
	},
	"open": {"storageSecret=storage", "networkPolicy.enabled=false", "podDisruptionBudget.enabled=false"},
}

func with(set ...string) options {
	return options{chart: chartDir, release: "test", namespace: "jeton", values: values.Options{Values: set}}
}

// manifests renders the chart and returns the objects by kind and name.
func manifests(t *testing.T, set ...string) map[string]map[string]any {
	t.Helper()
	var rendered bytes.Buffer
	if err := render(&rendered, with(set...)); err != nil {
		t.Fatal(err)
	}
	objects := map[string]map[string]any{}
	for document := range strings.SplitSeq(rendered.String(), "\n---\n") {
		var object map[string]any
		if err := yaml.UnmarshalStrict([]byte(document), &object); err != nil {
			t.Fatalf("%v:\n%s", err, document)
		}
		if object == nil {
			continue
		}
		key, _ := object["kind"].(string)
		key += "/" + text(object, "metadata", "name")
		if objects[key] != nil {
			t.Errorf("the chart has %s twice", key)
		}
		objects[key] = object
	}
	return objects
}

// at returns the value at a path of keys, or nil.
func at(value any, path ...string) any {
	for _, key := range path {
		object, _ := value.(map[string]any)
		value = object[key]
	}
	return value
}

func text(value any, path ...string) string {
	s, _ := at(value, path...).(string)
	return s
}

func TestLint_Passes(t *testing.T) {
	t.Parallel()
	for name, set := range variants {
		_, merged, err := with(set...).load()
		if err != nil {
			t.Fatal(err)
		}
		result := lint.AllWithKubeVersion(chartDir, merged, "jeton", nil)
		for _, message := range result.Messages {
			if message.Severity > support.InfoSev {
				t.Errorf("%s: %v", name, message)
			}
		}
	}
}

func TestRender_PodsAreRestricted(t *testing.T) {
	t.Parallel()
	for name, set := range variants {
		pods := 0
		for key, object := range manifests(t, set...) {
			spec, ok := at(object, "spec", "template", "spec").(map[string]any)
			if !ok {
				continue
			}
			pods++
			containers, _ := spec["containers"].([]any)
			if len(containers) == 0 {
				t.Errorf("%s: %s has no containers", name, key)
			}
			for _, c := range containers {
				context := at(c, "securityContext")
				drop, _ := at(context, "capabilities", "drop").([]any)
				if at(context, "allowPrivilegeEscalation") != false || at(context, "readOnlyRootFilesystem") != true ||
					at(context, "runAsNonRoot") != true || len(drop) != 1 || drop[0] != "ALL" || text(context, "seccompProfile", "type") != "RuntimeDefault" {
					t.Errorf("%s: a container of %s has the security context %v", name, key, context)
				}
				if text(c, "resources", "limits", "memory") == "" {
					t.Errorf("%s: a container of %s has no memory limit", name, key)
				}
			}
		}
		if pods == 0 {
			t.Errorf("%s has no Pods", name)
		}
	}
}

func TestRender_HasNoPermissionsButPodsOfOneNamespace(t *testing.T) {
	t.Parallel()
	for name, set := range variants {
		objects := manifests(t, set...)
		for key := range objects {
			if strings.HasPrefix(key, "ClusterRole") {
				t.Errorf("%s: the chart has %s", name, key)
			}
		}
		rules, _ := at(objects["Role/test-jeton"], "rules").([]any)
		if len(rules) != 1 {
			t.Fatalf("%s: the role has the rules %v", name, rules)
		}
		if resources, _ := at(rules[0], "resources").([]any); len(resources) != 1 || resources[0] != "pods" {
			t.Errorf("%s: the role has the resources %v", name, resources)
		}
	}
}

func TestRender_EveryKindOfTheFullVariant(t *testing.T) {
	t.Parallel()
	objects := manifests(t, variants["all"]...)
	for _, key := range []string{
		"Deployment/test-jeton", "Service/test-jeton", "Service/test-jeton-ops", "ServiceAccount/test-jeton", "ServiceAccount/test-jeton-function",
		"NetworkPolicy/test-jeton-functions", "NetworkPolicy/test-jeton-builds", "NetworkPolicy/test-jeton-nodes", "PodDisruptionBudget/test-jeton", "HorizontalPodAutoscaler/test-jeton",
		"ResourceQuota/test-jeton", "ServiceMonitor/test-jeton", "Ingress/test-jeton", "HTTPRoute/test-jeton-api", "HTTPRoute/test-jeton-functions",
	} {
		if objects[key] == nil {
			t.Errorf("the chart lacks %s", key)
		}
	}
	deployment := objects["Deployment/test-jeton"]
	if at(deployment, "spec", "replicas") != nil {
		t.Error("the Deployment sets the replicas that the autoscaler sets")
	}
	if objects["Secret/test-jeton-sealing-key"] != nil {
		t.Error("the chart creates a sealing key beside the given one")
	}
	containers, _ := at(deployment, "spec", "template", "spec", "containers").([]any)
	environment := map[string]string{}
	variables, _ := at(containers[0], "env").([]any)
	for _, v := range variables {
		environment[text(v, "name")] = text(v, "value")
	}
	for name, want := range map[string]string{
		"JETON_MAX_SCALE": "10", "JETON_ENGINE": "kubernetes", "JETON_KUBERNETES_RUNTIME_CLASS": "gvisor",
		"JETON_KUBERNETES_IMAGE": "ghcr.io/jeton-dev/jeton-runtime-{language}:1.2.3", "JETON_API_URL": "https://api.example.com",
		"JETON_KUBERNETES_PULL_SECRETS": "registry",
	} {
		if environment[name] != want {
			t.Errorf("%s is %q, want %q", name, environment[name], want)
		}
	}
}

func TestRender_RequiresStorage(t *testing.T) {
	t.Parallel()
	err := render(new(bytes.Buffer), with())
	if err == nil || !strings.Contains(err.Error(), "create a Secret with JETON_DATABASE and JETON_BLOBS, or set trial.enabled") {
		t.Errorf("got %v", err)
	}
}

func TestSchema_RefusesWrongValues(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{
		"replica=2", "replicas=0", "replicas=many", "image.repository=", "image.pullPolicy=Sometimes", "service.type=External",
		"networkPolicy.egress.deny={10.0.0.0}", "ingress.apiHost=https://api.example.com", "functions.image=ghcr.io/jeton-dev/runtime",
		"apiURL=api.example.com", "settings.Max_Scale=1", "gatewayAPI.enabled=true", "serviceMonitor.interval=often",
		"autoscaling.targetCPUUtilizationPercentage=200", "trial.database=x",
	} {
		err := render(new(bytes.Buffer), with("storageSecret=storage", wrong))
		if err == nil || !strings.Contains(err.Error(), "values don't meet the specifications of the schema") {
			t.Errorf("%s: got %v", wrong, err)
		}
	}
}
