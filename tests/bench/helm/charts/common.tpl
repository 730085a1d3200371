{{- define "common.name" -}}
{{- $name := index . 1 -}}{{- $root := index . 0 -}}
{{- if eq $name "main" -}}{{ $root.Release.Name }}{{- else -}}{{ printf "%s-%s" $root.Release.Name $name | trunc 63 | trimSuffix "-" }}{{- end -}}
{{- end -}}

{{- define "common.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "common.metadata" -}}
{{- $root := index . 0 -}}{{- $name := index . 1 -}}{{- $own := index . 2 -}}
{{- $labels := merge (dict) ($own.labels | default dict) ($root.Values.common.labels | default dict) (include "common.selector" (list $root $name) | fromYaml) (dict "app.kubernetes.io/managed-by" $root.Release.Service) -}}
name: {{ include "common.name" (list $root $name) }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- range $key := keys $labels | sortAlpha }}
  {{ $key }}: {{ get $labels $key | toString | quote }}
  {{- end }}
{{- with $own.annotations }}
annotations:
  {{- tpl (toYaml .) $root | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "common.container" -}}
{{- $root := index . 0 -}}{{- $name := index . 1 -}}{{- $container := index . 2 -}}{{- $workload := index . 3 -}}
- name: {{ $name }}
  image: {{ printf "%s:%s" $container.image.repository $container.image.tag | quote }}
  imagePullPolicy: {{ $container.imagePullPolicy }}
  {{- with $container.args }}
  args: {{ toJson . }}
  {{- end }}
  {{- with $container.env }}
  env:
  {{- range $key, $value := . }}
  - name: {{ $key }}
    value: {{ tpl ($value | toString) $root | quote }}
  {{- end }}
  {{- end }}
  {{- range $kind := list "liveness" "readiness" }}
  {{- with dig "probes" $kind dict $container }}
  {{ $kind }}Probe:
    httpGet:
      path: {{ .path }}
      port: {{ int .port }}
  {{- end }}
  {{- end }}
  securityContext: {{ toYaml $container.securityContext | nindent 4 }}
  {{- with $container.resources }}
  resources: {{ toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
  {{- range $volume, $settings := $root.Values.volumes }}
  {{- if has $workload $settings.workloads }}
  - name: {{ $volume }}
    mountPath: {{ $settings.mount }}
  {{- end }}
  {{- end }}
{{- end -}}

{{- define "common.workload" -}}
{{- $root := index . 0 -}}{{- $name := index . 1 -}}
{{- $defaults := $root.Values.common.defaults -}}
{{- $workload := mergeOverwrite (deepCopy $defaults.workload) (index . 2) -}}
---
apiVersion: apps/v1
kind: {{ $workload.kind }}
metadata:
  {{- include "common.metadata" (list $root $name $workload) | nindent 2 }}
spec:
  replicas: {{ int $workload.replicas }}
  {{- if eq $workload.kind "StatefulSet" }}
  serviceName: {{ include "common.name" (list $root $name) }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "common.selector" (list $root $name) | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "common.selector" (list $root $name) | nindent 8 }}
      annotations:
        checksum/settings: {{ toYaml $root.Values.configMaps | sha256sum }}
    spec:
      {{- toYaml $workload.pod | nindent 6 }}
      containers:
      {{- range $key, $value := $workload.containers }}
      {{- $container := mergeOverwrite (deepCopy $defaults.container) $value }}
      {{- include "common.container" (list $root $key $container $name) | nindent 6 }}
      {{- end }}
      volumes:
      {{- range $volume, $settings := $root.Values.volumes }}
      {{- if has $name $settings.workloads }}
      - name: {{ $volume }}
        persistentVolumeClaim:
          claimName: {{ include "common.name" (list $root $volume) }}
      {{- end }}
      {{- end }}
{{- end -}}

{{- define "common.service" -}}
{{- $root := index . 0 -}}{{- $name := index . 1 -}}
{{- $service := mergeOverwrite (deepCopy $root.Values.common.defaults.service) (index . 2) -}}
---
apiVersion: v1
kind: Service
metadata:
  {{- include "common.metadata" (list $root $name $service) | nindent 2 }}
spec:
  type: {{ $service.type }}
  selector:
    {{- include "common.selector" (list $root $service.workload) | nindent 4 }}
  ports:
  {{- range $port, $settings := $service.ports }}
  - name: {{ $port }}
    port: {{ int $settings.port }}
    targetPort: {{ int $settings.port }}
  {{- end }}
{{- end -}}

{{- define "common.all" -}}
{{- $root := . -}}
{{- range $name, $workload := .Values.workloads }}
{{ include "common.workload" (list $root $name $workload) }}
{{- end }}
{{- range $name, $service := .Values.services }}
{{ include "common.service" (list $root $name $service) }}
{{- end }}
{{- range $name, $map := .Values.configMaps }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "common.metadata" (list $root $name $map) | nindent 2 }}
data:
  {{- tpl (toYaml $map.data) $root | nindent 2 }}
{{- end }}
{{- range $name, $volume := .Values.volumes }}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  {{- include "common.metadata" (list $root $name $volume) | nindent 2 }}
spec:
  accessModes: [{{ $root.Values.common.defaults.volume.accessMode }}]
  resources:
    requests:
      storage: {{ $volume.size }}
{{- end }}
{{- range $name, $route := .Values.routes }}
{{- $service := get $root.Values.services $route.service }}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  {{- include "common.metadata" (list $root $name $route) | nindent 2 }}
spec:
  rules:
  - host: {{ tpl $route.host $root | quote }}
    http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service:
            name: {{ include "common.name" (list $root $route.service) }}
            port:
              number: {{ int (get $service.ports $route.port).port }}
{{- end }}
{{- end -}}
