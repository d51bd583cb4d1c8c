/**
 * Faults that tests inject into the embedded server: which requests they hit, and what happens to those.
 *
 * @since 0.1.0
 */
import type { ErrorName } from "@effect-zookeeper/protocol/ErrorCode"

/**
 * The requests that a fault hits. A request must match all fields that are given; an empty object matches every request
 * except pings.
 *
 * @category models
 * @since 0.1.0
 */
export interface Match {
  /** ZooKeeper's name of the operation, such as `getData` or `delete`. */
  readonly operation?: string | undefined
  /** The exact path of the request. Transactions have none. */
  readonly path?: string | undefined
  /** The id of the session. */
  readonly session?: bigint | undefined
}

/**
 * What happens to a request.
 *
 * - `DropReply`: the request is applied, but the connection ends instead of a reply.
 * - `DropRequest`: the connection ends before the request is applied.
 * - `Answer`: the request is answered with an error, and not applied.
 *
 * @category models
 * @since 0.1.0
 */
export type Fault =
  | { readonly _tag: "DropReply" }
  | { readonly _tag: "DropRequest" }
  | { readonly _tag: "Answer"; readonly error: ErrorName }
