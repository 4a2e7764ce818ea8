/** What the tests of the image need of the machine beside the end-to-end tests' own. */
import { describeWith } from '../../e2e/lib/tools.ts';

export const describeOnContainers = describeWith('image', {
  buildah: 'buildah',
  mmdebstrap: 'mmdebstrap',
  npm: 'npm, or Node.js from its makers',
  podman: 'podman',
  runc: 'runc',
});
