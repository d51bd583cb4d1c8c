/**
 * A TCP proxy between a client and a server that breaks things on purpose, exactly where a test says.
 *
 * It knows ZooKeeper's frames in both directions (not their contents beyond the headers), so that faults can be aimed at
 * "the reply to the second create". It listens on a loopback port that stays the same while it refuses connections. It
 * runs in real time, under a TestClock too. With `raw` it moves any bytes, TLS for one, and rules on frames do nothing.
 *
 * Bytes that it cannot deliver do not pile up in it: behind a black hole or a slow direction the sender has to wait as
 * soon as about a mebibyte is on its way, as behind a window of TCP that is full.
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { makeProxy } from "./internal/proxy/makeProxy.ts"
import type { FaultProxy, Options, Target } from "./internal/proxy/model.ts"

export type {
  Direction,
  Ending,
  AcceptMode,
  Target,
  Shape,
  FrameKind,
  FrameRecord,
  FrameMatch,
  FrameAction,
  FrameRule,
  RuleHandle,
  Seen,
  FaultProxy,
  Options
} from "./internal/proxy/model.ts"

/** Starts a proxy in front of a server. */
export const make = (target: Target, options: Options = {}): Effect.Effect<FaultProxy, never, Scope.Scope> =>
  makeProxy(target, options)
