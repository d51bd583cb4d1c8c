/**
 * What a test can make a server do wrong to a request that matches, once or several times.
 *
 * @since 0.1.0
 */
import type { ErrorName } from "@effect-zookeeper/protocol/ErrorCode"

/**
 * Which requests. All that is given has to fit; nothing given fits every request but pings.
 *
 * @category models
 * @since 0.1.0
 */
export interface Match {
  /** ZooKeeper's name of the operation, such as `getData` or `delete`. */
  readonly operation?: string | undefined
  /** The path of the request, exactly; transactions have none. */
  readonly path?: string | undefined
  readonly session?: bigint | undefined
}

/**
 * `DropReply`: it is done, and instead of the answer the connection ends. `DropRequest`: the connection ends before
 * anything is done. `Answer`: nothing is done, and the answer is an error.
 *
 * @category models
 * @since 0.1.0
 */
export type Fault =
  | { readonly _tag: "DropReply" }
  | { readonly _tag: "DropRequest" }
  | { readonly _tag: "Answer"; readonly error: ErrorName }
