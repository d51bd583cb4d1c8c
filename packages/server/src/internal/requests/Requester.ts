import type { Identity } from "../state/AccessControl.ts"

/** Who asks for a write, and what the server that judges it allows. */
export interface Requester {
  readonly session: bigint
  readonly identities: ReadonlyArray<Identity>
  /** Whether the session is known to one server alone, and so cannot own ephemeral znodes. */
  readonly local: boolean
  readonly rules: Rules
}

/** Settings of a server that decide what it refuses. */
export interface Rules {
  /** Whether there are TTL znodes. */
  readonly extendedTypes: boolean
  readonly enforceQuota: boolean
  readonly reconfigEnabled: boolean
}
