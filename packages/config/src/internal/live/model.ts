/** The model of live configuration; `LiveConfig` exports it. */
import type { SessionError } from "@effect-zookeeper/client/Errors"
import type { ConfigError } from "effect/Config"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import type { ReadError } from "../snapshot/model.ts"

/**
 * The reason for which the newest state of the tree is not the current value: it does not decode (`ConfigError`), or it
 * cannot be read.
 *
 * @category models
 * @since 0.1.0
 */
export type Problem = ConfigError | ReadError

/**
 * The freshness and the source of the current value.
 *
 * `freshness` is `live` while the tree is followed, `stale` in an outage, until the tree has been read again after it, and
 * `ended` when the session has ended for good. `source` is `file` while the value comes from a file, because the tree has
 * not been read yet or does not decode. `problem` says why the newest state of the tree was not taken over.
 *
 * @category models
 * @since 0.1.0
 */
export interface Status {
  readonly freshness: "live" | "stale" | "ended"
  readonly source: "tree" | "file"
  readonly problem: Option.Option<Problem>
}

/**
 * A configuration that follows a sub-tree. Everything but the streams answers from memory.
 *
 * @category models
 * @since 0.1.0
 */
export interface LiveConfig<out A> {
  /** The path of the sub-tree. */
  readonly path: string
  /** The newest value that decoded. */
  readonly current: A
  /** The newest value that decoded, at the moment when the effect runs. */
  readonly get: Effect.Effect<A>
  /**
   * The current value, then each newer one that differs from the one before. A slow consumer skips values, and gets the
   * newest. It ends quietly when the Scope closes, and fails when the session has ended for good.
   */
  readonly changes: Stream.Stream<A, SessionError>
  /** Its freshness, its source, and the problem of the newest state, if there is one. */
  readonly status: Status
  /** The current status, then each newer one; a slow consumer skips some. It ends as `changes` does, and does not fail. */
  readonly statusChanges: Stream.Stream<Status>
}
