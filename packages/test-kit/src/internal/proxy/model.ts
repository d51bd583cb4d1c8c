/** The faults of a proxy: what a test can set, and what it sees. */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"

/** `up` is from the client to the server, `down` from the server to the client. */
export type Direction = "up" | "down"

/** How a connection ends: `rst` as a crash, `fin` as an orderly close. Both sides see it. */
export type Ending = "rst" | "fin"

/**
 * What happens to a new connection: `forward` to the target, `refuse` as if nothing listened, `reset` or `close` as soon
 * as it is accepted, or `hang`: accepted, then silence.
 */
export type AcceptMode = "forward" | "refuse" | "reset" | "close" | "hang"

export interface Target {
  readonly host: string
  readonly port: number
}

/** How bytes travel in one direction. Without options bytes travel as fast as they can. */
export interface Shape {
  /** The delay of every byte; the order stays. */
  readonly delay?: Duration.Duration | undefined
  readonly bytesPerSecond?: number | undefined
  /** The most bytes of one write; 1 delivers byte by byte. */
  readonly chunk?: number | undefined
}

/** Frames without an op code: the handshake and its reply, and watch notifications. */
export type FrameKind = number | "connect" | "notification"

/** A frame that went through. */
export interface FrameRecord {
  /** Counts from 1 in the order of acceptance. */
  readonly connection: number
  readonly direction: Direction
  /** The request's op code; of a reply, that of the request with its xid; `undefined` if the frame has none. */
  readonly op: FrameKind | undefined
  readonly xid: number | undefined
  /** Bytes, without the four of the length. */
  readonly length: number
}

/** Which frames a rule is for; a field that is left out matches any. */
export interface FrameMatch {
  readonly direction?: Direction | undefined
  readonly op?: FrameKind | undefined
  readonly xid?: number | undefined
  readonly connection?: number | undefined
}

/**
 * Rules act on frames. Offsets and lengths are in bytes and do not count the four of the length.
 *
 * - `Drop`: it vanishes.
 * - `DropAndReset`: it vanishes and the connection is reset, after all that went before it. Upwards that is a request
 *   lost before the server saw it, downwards a reply lost after the request was applied.
 * - `Hold`: it waits until the rule is released; later frames overtake it.
 * - `Duplicate`: it comes twice. `Swap`: it comes after the frame that follows it.
 * - `SetXid`, `SetError` (of a reply; its body goes), `CorruptByte` (all bits of one byte), `Edit`: it is changed.
 *   What `edit` is given is a view into a larger buffer: `new DataView(body.buffer, body.byteOffset, body.byteLength)`.
 * - `SetLength`: the announced length is a lie. `Truncate`: a shorter frame, its length right.
 * - `Inject`: another frame follows it.
 */
export type FrameAction =
  | { readonly _tag: "Drop" }
  | { readonly _tag: "DropAndReset" }
  | { readonly _tag: "Hold" }
  | { readonly _tag: "Duplicate" }
  | { readonly _tag: "Swap" }
  | { readonly _tag: "SetXid"; readonly xid: number }
  | { readonly _tag: "SetError"; readonly code: number }
  | { readonly _tag: "CorruptByte"; readonly offset: number }
  | { readonly _tag: "SetLength"; readonly length: number }
  | { readonly _tag: "Truncate"; readonly length: number }
  | { readonly _tag: "Inject"; readonly body: Uint8Array }
  | { readonly _tag: "Edit"; readonly edit: (body: Uint8Array) => Uint8Array }

export interface FrameRule {
  readonly match: FrameMatch
  readonly action: FrameAction
  /** On how many frames it acts; 1 by default. */
  readonly count?: number | undefined
  /** How many matching frames pass untouched before; 0 by default. */
  readonly skip?: number | undefined
}

/** A rule that was set. */
export interface RuleHandle {
  /** On how many frames it has acted. */
  readonly hits: Effect.Effect<number>
  /** Waits until it has acted on `count` frames, 1 by default. */
  readonly awaitHits: (count?: number) => Effect.Effect<void>
  /** Delivers the frames that it holds; it holds no more. */
  readonly release: Effect.Effect<void>
}

/** Counters of the proxy so far. */
export interface Seen {
  /** Connections since the start, those that were reset at once included. */
  readonly accepted: number
  /** Connections that are open now. */
  readonly current: number
  /** All frames, in the order in which they came in, before any rule. */
  readonly frames: ReadonlyArray<FrameRecord>
}

/** A running proxy. Faults stay on until they are taken back with `heal` or by setting something else. */
export interface FaultProxy {
  readonly host: string
  readonly port: number
  /** `host:port`. */
  readonly connectString: string

  /** Sets the target of new connections. */
  readonly setTarget: (target: Target) => Effect.Effect<void>
  /** Sets what happens to new connections. */
  readonly accept: (mode: AcceptMode) => Effect.Effect<void>
  /** Ends all connections now, whatever is on its way. */
  readonly dropAll: (ending: Ending) => Effect.Effect<void>
  /** Sends one side of every connection a FIN, and goes on forwarding what that side sends. */
  readonly halfClose: (side: "client" | "server") => Effect.Effect<void>
  /**
   * Nothing arrives any more, the ends of connections included. Bytes that are sent wait for `heal`, as TCP would
   * resend them.
   */
  readonly blackHole: (direction: Direction | "both") => Effect.Effect<void>
  /** How bytes travel in a direction, for all connections. */
  readonly shape: (direction: Direction | "both", shape: Shape) => Effect.Effect<void>
  /**
   * Ends the next connection when exactly `after` bytes have been delivered in a direction, whether more are to come or
   * not.
   */
  readonly cutNext: (cut: {
    readonly direction: Direction
    readonly after: number
    readonly ending: Ending
  }) => Effect.Effect<void>
  /** Sets a rule; of several that match a frame the oldest acts. */
  readonly rule: (rule: FrameRule) => Effect.Effect<RuleHandle>
  /** Sends a frame (its length is added) on every open connection. */
  readonly inject: (direction: Direction, body: Uint8Array) => Effect.Effect<void>
  /** Accepts again, ends black holes and shapes, forgets cuts and rules. Connections and counters stay. */
  readonly heal: Effect.Effect<void>

  /** The counters and the log, as of now. */
  readonly seen: Effect.Effect<Seen>
  /** Waits until the counters and the log satisfy a predicate, which is tried at every connection and frame. */
  readonly awaitSeen: (predicate: (seen: Seen) => boolean) => Effect.Effect<void>
  /** Waits until `count` frames have matched, 1 by default, counted from the start of the log. */
  readonly awaitFrames: (match: FrameMatch, count?: number) => Effect.Effect<void>
  /** The op codes of all requests so far, in order, without handshakes. */
  readonly requests: Effect.Effect<ReadonlyArray<number>>
}

export interface Options {
  /** Moves bytes that need not be frames; rules on frames do nothing then. Default false. */
  readonly raw?: boolean | undefined
  /**
   * With `raw`: changes the bytes with which a client begins a connection, as many of them as come at once. For protocols
   * in which a client says where it can be called back.
   */
  readonly editGreeting?: ((bytes: Uint8Array) => Uint8Array) | undefined
  /**
   * How long a connection waits for a target that does not listen yet; then it is reset. A client that is refused tries
   * again soon, and one that is accepted first, and reset then, may give up. Default: it is reset at once.
   */
  readonly targetPatience?: Duration.Input | undefined
  /** The address of this machine to listen on; default `127.0.0.1`. */
  readonly host?: string | undefined
  /** The port to listen on, for a proxy that takes the place of another elsewhere; default: one that is free. */
  readonly port?: number | undefined
}
