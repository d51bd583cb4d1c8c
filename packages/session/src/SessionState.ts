/**
 * The states of a session, as an application sees them.
 *
 * @since 0.1.0
 */

/**
 * - `Connecting`: no session yet, which `firstConnection: "background"` lets an application see, or a new one is being made after an expiry.
 * - `Connected`: a server answers. `readOnly` says that it serves reads only, having no quorum.
 * - `Disconnected`: no connection since `since`, a reading of the monotonic clock in nanoseconds; the session may live.
 * - `EnsembleBehind`: the servers have seen less than this session has. Most of them say so and none contradicts, or for a
 *   whole `connectTimeout` most of them closed the connection at the handshake, as servers also do that have no quorum. It
 *   goes on trying, unless `ensembleReset` is `"accept"`.
 * - `Expired`: the session is over. With `sessionExpiry: "recreate"` a new one follows.
 * - `AuthFailed`: the credentials were refused. Final.
 * - `Closed`: closed by its owner. Final.
 *
 * @category models
 * @since 0.1.0
 */
export type SessionState =
  | { readonly _tag: "Connecting" }
  | {
      readonly _tag: "Connected"
      readonly server: { readonly host: string; readonly port: number }
      readonly readOnly: boolean
    }
  | { readonly _tag: "Disconnected"; readonly since: bigint }
  | { readonly _tag: "EnsembleBehind" }
  | { readonly _tag: "Expired" }
  | { readonly _tag: "AuthFailed" }
  | { readonly _tag: "Closed" }
