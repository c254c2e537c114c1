{{/* Parts that the servers and the migration have in common. */}}

{{- define "artifactstore.name" -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "artifactstore.labels" -}}
app.kubernetes.io/name: artifactstore
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "artifactstore.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "artifactstore.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: { type: RuntimeDefault }
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  # Uploads wait here that cannot go straight to the bucket; none of them was acknowledged yet.
  - { name: work, emptyDir: { sizeLimit: {{ .Values.spool.sizeLimit }} } }
  - { name: temporary, emptyDir: { sizeLimit: 1Gi } }
  {{- if .Values.webIdentity.enabled }}
  - name: identity
    projected:
      sources:
        - serviceAccountToken:
            audience: {{ .Values.webIdentity.audience }}
            expirationSeconds: {{ .Values.webIdentity.expirationSeconds }}
            path: token
  {{- else }}
  - { name: keys, secret: { secretName: {{ required "secrets.bucket names the secret with the keys of the bucket" .Values.secrets.bucket }}, defaultMode: 0400 } }
  {{- end }}
  {{- with .Values.profile }}
  - { name: profile, configMap: { name: {{ . }} } }
  {{- end }}
{{- end }}

{{- define "artifactstore.container" -}}
image: {{ include "artifactstore.image" . }}
env:
  - { name: ARTIFACTSTORE_S3_PROFILE_PATH, value: /etc/artifactstore/profile/s3-profile.json }
  {{- if .Values.webIdentity.enabled }}
  - { name: ARTIFACTSTORE_S3_CREDENTIALS, value: web-identity }
  - { name: ARTIFACTSTORE_S3_WEB_IDENTITY_TOKEN_FILE, value: /run/artifactstore/token }
  {{- else }}
  - { name: ARTIFACTSTORE_S3_ACCESS_KEY_REF, value: "file:/etc/artifactstore/keys/access-key" }
  - { name: ARTIFACTSTORE_S3_SECRET_KEY_REF, value: "file:/etc/artifactstore/keys/secret-key" }
  {{- end }}
  {{- range $name, $value := .Values.settings }}
  - { name: {{ $name }}, value: {{ $value | quote }} }
  {{- end }}
envFrom:
  - secretRef: { name: {{ .Values.secrets.environment }} }
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
resources: {{- toYaml .Values.resources | nindent 2 }}
volumeMounts:
  - { name: work, mountPath: /var/lib/artifactstore }
  - { name: temporary, mountPath: /tmp }
  {{- if .Values.webIdentity.enabled }}
  - { name: identity, mountPath: /run/artifactstore, readOnly: true }
  {{- else }}
  - { name: keys, mountPath: /etc/artifactstore/keys, readOnly: true }
  {{- end }}
  {{- if .Values.profile }}
  - { name: profile, mountPath: /etc/artifactstore/profile, readOnly: true }
  {{- end }}
{{- end }}
