/**
 * Limits that the API server keeps in code (pkg/apis/core/validation, pkg/apis/apps/validation, pkg/apis/networking/validation
 * of github.com/kubernetes/kubernetes) and not in its OpenAPI document: those that a hand-written manifest is likely to
 * break. By definition and field; words of JSON Schema.
 */
type Limit = Readonly<Record<string, number | string | readonly string[]>>;

const PORT = { minimum: 1, maximum: 65_535 };
const PORT_NAME = '^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$';
const PORT_OR_NAME = { ...PORT, pattern: PORT_NAME };
const PROTOCOL = { enum: ['TCP', 'UDP', 'SCTP'] };
const SELECTOR_OPERATOR = { enum: ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'] };
const NUMBER_OR_PERCENT = { minimum: 0, pattern: '^\\d+%$' };

export const LIMITS: ReadonlyMap<string, Limit> = new Map<string, Limit>([
  ['io.k8s.api.apps.v1.DaemonSetUpdateStrategy.type', { enum: ['RollingUpdate', 'OnDelete'] }],
  ['io.k8s.api.apps.v1.RollingUpdateDaemonSet.maxSurge', NUMBER_OR_PERCENT],
  ['io.k8s.api.apps.v1.RollingUpdateDaemonSet.maxUnavailable', NUMBER_OR_PERCENT],
  ['io.k8s.api.core.v1.AppArmorProfile.type', { enum: ['Localhost', 'RuntimeDefault', 'Unconfined'] }],
  ['io.k8s.api.core.v1.Container.imagePullPolicy', { enum: ['Always', 'IfNotPresent', 'Never'] }],
  ['io.k8s.api.core.v1.ContainerPort.containerPort', PORT],
  ['io.k8s.api.core.v1.ContainerPort.hostPort', PORT],
  ['io.k8s.api.core.v1.ContainerPort.name', { pattern: PORT_NAME }],
  ['io.k8s.api.core.v1.ContainerPort.protocol', PROTOCOL],
  ['io.k8s.api.core.v1.HTTPGetAction.port', PORT_OR_NAME],
  ['io.k8s.api.core.v1.HTTPGetAction.scheme', { enum: ['HTTP', 'HTTPS'] }],
  ['io.k8s.api.core.v1.NodeSelectorRequirement.operator', SELECTOR_OPERATOR],
  [
    'io.k8s.api.core.v1.PodSpec.dnsPolicy',
    { enum: ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'] },
  ],
  ['io.k8s.api.core.v1.PodSpec.restartPolicy', { enum: ['Always', 'OnFailure', 'Never'] }],
  ['io.k8s.api.core.v1.SeccompProfile.type', { enum: ['Localhost', 'RuntimeDefault', 'Unconfined'] }],
  ['io.k8s.api.core.v1.ServicePort.port', PORT],
  ['io.k8s.api.core.v1.ServicePort.protocol', PROTOCOL],
  ['io.k8s.api.core.v1.ServicePort.targetPort', PORT_OR_NAME],
  ['io.k8s.api.core.v1.Toleration.effect', { enum: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] }],
  ['io.k8s.api.core.v1.Toleration.operator', { enum: ['Equal', 'Exists'] }],
  ['io.k8s.api.networking.v1.NetworkPolicyPort.port', PORT_OR_NAME],
  ['io.k8s.api.networking.v1.NetworkPolicyPort.protocol', PROTOCOL],
]);
