/** What the operator told the agent, as far as judging needs it. */
import type { Address, AddressRange } from './address.ts';

export const EXPECTATIONS = ['x-eni', 'public', 'any'] as const;
export type Expectation = (typeof EXPECTATIONS)[number];

export interface ClientSetting {
  /** The kernel's name of the process, `/proc/<pid>/comm`. */
  readonly name: string;
  /** Its absence makes the node `unknown`. */
  readonly required: boolean;
}

/** A Service's ClusterIP and port. */
export interface ServiceSetting {
  readonly address: Address;
  readonly port: number;
}

/** How sockets are to be told apart: by their owners, or by known addresses alone. */
export const ATTRIBUTION_WISHES = ['process', 'address'] as const;
export type AttributionWish = (typeof ATTRIBUTION_WISHES)[number];

export interface Settings {
  readonly nodeName: string;
  readonly version: string;
  readonly clients: readonly ClientSetting[];
  readonly expect: Expectation;
  /** Addresses known to hold X-ENIs only (`--x-eni`). */
  readonly xEnis: readonly AddressRange[];
  /** The VPC's CIDRs as given (`--vpc-cidr`); where there is none, those of IMDS count. */
  readonly vpcCidrs: readonly AddressRange[];
  readonly attribution: AttributionWish;
  /** Null where nothing is probed. */
  readonly probeIntervalMs: number | null;
  /** Whether the machine is an EC2 instance, by its firmware. */
  readonly onEc2: boolean;
  /** The `kubernetes` Service; null where the agent does not run in a pod. */
  readonly service: ServiceSetting | null;
  readonly scanIntervalMs: number;
  readonly staleAfterMs: number;
  /** How long another route than the expected one may last before it is a finding. */
  readonly unexpectedAfterMs: number;
}
