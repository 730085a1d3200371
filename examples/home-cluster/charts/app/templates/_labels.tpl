{{- define "app.selector" -}}
app.kubernetes.io/name: {{ .Release.Name }}
{{- end }}

{{- define "app.labels" -}}
{{ include "app.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- /* An OCIRepository adds the digest of the artifact to the version. */}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | splitList "+" | first }}
{{- end }}
