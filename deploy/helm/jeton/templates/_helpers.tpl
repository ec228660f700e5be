{{/* Name of the objects of a release, short enough for labels and suffixes. */}}
{{- define "jeton.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 48 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 48 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "jeton.tag" -}}
{{- .Values.image.tag | default .Chart.AppVersion -}}
{{- end -}}

{{/* Labels of an object. The argument is a list: the root context and the component. */}}
{{- define "jeton.labels" -}}
{{ include "jeton.selector" . }}
{{- with index . 0 }}
app.kubernetes.io/version: {{ include "jeton.tag" . | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end }}
{{- end -}}

{{- define "jeton.selector" -}}
app.kubernetes.io/name: jeton
app.kubernetes.io/instance: {{ (index . 0).Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Labels of the Pods of functions and builds, which the nodes set when they create them. */}}
{{- define "jeton.functionSelector" -}}
app.kubernetes.io/managed-by: jeton
jeton.dev/installation: {{ include "jeton.fullname" . }}
{{- end -}}

{{- define "jeton.storageSecret" -}}
{{- if .Values.trial.enabled -}}
{{- include "jeton.fullname" . }}-trial
{{- else -}}
{{- required "storageSecret is required: create a Secret with JETON_DATABASE and JETON_BLOBS, or set trial.enabled" .Values.storageSecret -}}
{{- end -}}
{{- end -}}

{{/* A password that stays the same in upgrades. Arguments: root context, Secret, key. */}}
{{- define "jeton.password" -}}
{{- $secret := lookup "v1" "Secret" (index . 0).Release.Namespace (index . 1) -}}
{{- if and $secret (hasKey ($secret.data | default dict) (index . 2)) -}}
{{- index $secret.data (index . 2) | b64dec -}}
{{- else -}}
{{- randAlphaNum 40 -}}
{{- end -}}
{{- end -}}

{{/* What the restricted Pod Security Standard requires of a container. */}}
{{- define "jeton.restricted" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end -}}
