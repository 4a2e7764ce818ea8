/** The cluster of the published note, for tests that make up their own story. */
import { Lab, type LabOptions } from './lab.ts';

export const NODE = '192.168.1.204';
export const PUBLIC = ['3.34.148.207', '3.38.61.180'] as const;
export const X_ENI = ['192.168.1.231', '192.168.2.210'] as const;
export const VPC_CIDR = '--vpc-cidr=192.168.0.0/16';
export const X_ENI_FLAGS = X_ENI.map((address) => `--x-eni=${address}`);

/** A node of that cluster; DNS gives the public addresses unless told otherwise. */
export function makeCluster(options: Partial<LabOptions> = {}): Promise<Lab> {
  return Lab.make({ node: [NODE], servers: [...PUBLIC, ...X_ENI], answer: PUBLIC, ...options });
}
