{{/* What a workload of one's own takes to put the sensor in front: the init container, the volume, its mount, the command. */}}

{{- define "moonwatch.tree" -}}
/opt/moonwatch
{{- end }}

{{- define "moonwatch.initContainer" -}}
name: moonwatch
image: {{ required "moonwatch.image: which image has the sensor?" .Values.moonwatch.image | quote }}
args: ["install", {{ include "moonwatch.tree" . | quote }}]
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: ["ALL"]
{{- with .Values.moonwatch.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts:
  - name: moonwatch
    mountPath: {{ include "moonwatch.tree" . }}
{{- end }}

{{- define "moonwatch.volume" -}}
name: moonwatch
emptyDir: {}
{{- end }}

{{- define "moonwatch.volumeMount" -}}
name: moonwatch
mountPath: {{ include "moonwatch.tree" . }}
readOnly: true
{{- end }}

{{- define "moonwatch.command" -}}
{{- if not .Values.entrypoint }}{{ fail "entrypoint: what is the ENTRYPOINT of the application's image?" }}{{ end -}}
{{- concat (list (printf "%s/bin/moonwatch" (include "moonwatch.tree" .)) "run" "--") .Values.entrypoint | toJson }}
{{- end }}

{{- define "moonwatch.env" -}}
{{- range $name, $value := .Values.moonwatch.env }}
- name: {{ $name | quote }}
  value: {{ $value | quote }}
{{- end }}
{{- with .Values.moonwatch.enrollSecret }}
- name: MOONWATCH_ENROLL_SECRET
  value: {{ . | quote }}
{{- end }}
{{- end }}
