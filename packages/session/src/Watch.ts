/**
 * Watches as the session gives them, below the streams and effects of the client.
 *
 * @since 0.1.0
 */
import type * as WatchEvent from "@effect-zookeeper/protocol/WatchEvent"
import type * as Effect from "effect/Effect"
import type { ConnectionLoss, ServerRefused, SessionClosed, SessionExpired } from "./SessionError.ts"

/**
 * Waits for the one event of a one-shot watch. Interrupting it removes the watch.
 *
 * It fails with `SessionExpired` or `SessionClosed` when the session ends first. It fails with `ConnectionLoss` when eight
 * connections in a row were lost while the watch was being registered again; the watch is given up then.
 *
 * @category models
 * @since 0.1.0
 */
export type Changed = Effect.Effect<WatchEvent.WatchEvent, SessionExpired | SessionClosed | ConnectionLoss>

/**
 * The result of a read with a watch: the response, and the effect that waits for the event.
 *
 * @category models
 * @since 0.1.0
 */
export interface Watched<A> {
  readonly response: A
  readonly changed: Changed
}

/**
 * The owner of a persistent watch. Its functions are called by the connection's reader, in the order of the server: they
 * must return at once and not throw.
 *
 * @category models
 * @since 0.1.0
 */
export interface PersistentWatchListener {
  /** Gets each event, and `Gap` after a reconnection or a new session. Paths are as the server knows them. */
  readonly onEvent: (event: WatchEvent.WatchEvent | WatchEvent.Gap) => void
  /**
   * Runs when no event will follow. The reason is `ServerRefused` if the session has moved to a server that does not know
   * persistent watches, and `ConnectionLoss` if eight connections in a row were lost while the watch was being registered
   * again.
   */
  readonly onEnd: (reason: SessionExpired | SessionClosed | ServerRefused | ConnectionLoss) => void
}

/**
 * A path in two forms: as the server knows it, and as errors name it, without the chroot.
 *
 * @category models
 * @since 0.1.0
 */
export interface RequestPath {
  readonly server: string
  readonly client: string
}
