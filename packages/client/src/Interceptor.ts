/**
 * Interceptors: what an application adds to each request of a client, such as attributes of spans, an ACL for everything
 * that is created, or an audit log.
 *
 * They are an option of the client, `interceptors`. A client without them runs the same code as before: nothing looks for them
 * on the way of a request.
 *
 * @example
 * ```ts
 * import { Acl, type Interceptor, ZooKeeper } from "@effect-zookeeper/client"
 *
 * const tenants: Interceptor.Interceptor = {
 *   spanAttributes: ({ path }) => ({ "app.tenant": path.split("/")[2] ?? "none" }),
 *   acl: ({ acl, path }) => (path.startsWith("/app/secrets/") ? Acl.creator : acl),
 *   onReply: ({ error, kind, operation, path }) => {
 *     if (kind === "write") console.log(operation, path, error === undefined ? "done" : error._tag)
 *   }
 * }
 *
 * export const client = ZooKeeper.layer({ servers: "zk1:2181", interceptors: [tenants] })
 * ```
 *
 * @since 0.1.0
 */
import type * as Acl from "@effect-zookeeper/protocol/Acl"
import type * as Operation from "@effect-zookeeper/protocol/Operation"

/**
 * A request on its way.
 *
 * @category models
 * @since 0.1.0
 */
export interface Call {
  /** The operation of the protocol, such as `getData`, `create2` or `multi`. */
  readonly operation: string
  /** Whether a lost reply leaves open what became of it (`write`) or not (`read`). */
  readonly kind: Operation.Kind
  /** The path as servers see it, with the chroot; "" for operations without one, such as a transaction. */
  readonly path: string
  /** The operations of a transaction or of a `read`, in their order; none for other requests. */
  readonly ops: ReadonlyArray<{ readonly operation: string; readonly path: string }>
}

/**
 * A request whose reply has come, or will not come.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reply extends Call {
  /** The session that sent it. */
  readonly session: bigint
  /** Undefined for a success. A write with `maybeApplied: true` may have been applied; see `Outcome.mayBeApplied`. */
  readonly error: { readonly _tag: string; readonly message: string } | undefined
}

/**
 * A znode that is to be created.
 *
 * @category models
 * @since 0.1.0
 */
export interface Creation {
  /** The path as servers see it, with the chroot. A sequential or protected one is not complete yet. */
  readonly path: string
  /** The ACL that it would get: that of the call, or the client's `defaultAcl`. */
  readonly acl: ReadonlyArray<Acl.Acl>
}

/**
 * The functions by which an application adds to requests. All of them are called at once, for each attempt that a method sends, and must be
 * fast. An error that `acl` or `spanAttributes` throws is a defect of the call, and nothing is sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Interceptor {
  /** Attributes for the span of a request. It is called only where the request has a span. */
  readonly spanAttributes?: ((call: Call) => Readonly<Record<string, unknown>>) | undefined
  /** The ACL of a znode that is to be created, also in a transaction, and for parents that the client creates. */
  readonly acl?: ((creation: Creation) => ReadonlyArray<Acl.Acl>) | undefined
  /**
   * Called when a request has ended, in the order of the replies. An interrupted caller does not keep it from being called.
   * An error that it throws is logged.
   */
  readonly onReply?: ((reply: Reply) => void) | undefined
}
