/**
 * One loop over a Stream.
 *
 * One call runs the whole Stream, and waits after each element until the loop asks for the next. The end of the loop, its
 * signal and the end of the client end that call, and with it the Stream and its finalizers.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Run } from "./Run.ts"

interface Waiting<A> {
  readonly resolve: (result: IteratorResult<A, undefined>) => void
  readonly reject: (error: unknown) => void
}

type Phase = "new" | "running" | "returned" | "over"

export class StreamIterator<A, R> implements AsyncIterator<A, undefined> {
  private readonly isEnd: (error: unknown) => boolean
  private readonly start: (signal: AbortSignal) => Promise<void>
  private readonly signal: AbortSignal | undefined
  private readonly stop = new AbortController()
  private readonly waiting: Array<Waiting<A>> = []
  private phase: Phase = "new"
  /** Resumes the Stream, if it waits for the loop to ask. */
  private resumeStream: (() => void) | undefined
  private ended: Promise<void> = Promise.resolve()
  /** The error that ended the Stream while the loop did not ask; the next call gets it. */
  private failure: { readonly error: unknown } | undefined

  constructor(run: Run<R>, stream: Stream.Stream<A, unknown, R>, signal: AbortSignal | undefined) {
    const start = (signal: AbortSignal) =>
      run(
        Stream.runForEach(stream, (element) => this.deliver(element)),
        { signal }
      )
    this.start = start
    this.signal = signal
    this.isEnd = run.isEnd ?? (() => false)
  }

  next(): Promise<IteratorResult<A, undefined>> {
    if (this.failure !== undefined) {
      const { error } = this.failure
      this.failure = undefined
      return Promise.reject(error)
    }
    if (this.phase === "returned" || this.phase === "over") return Promise.resolve(done)
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject })
      // Opening the Stream may deliver its first element at once, and set `resumeStream` for the next.
      if (this.phase === "new") return this.open()
      const { resumeStream } = this
      this.resumeStream = undefined
      resumeStream?.()
    })
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.failure = undefined
    if (this.phase !== "over") {
      this.phase = this.phase === "new" ? "over" : "returned"
      this.stop.abort()
      await this.ended
    }
    return done
  }

  private open(): void {
    this.phase = "running"
    const signal = this.signal === undefined ? this.stop.signal : AbortSignal.any([this.stop.signal, this.signal])
    this.ended = this.start(signal).then(
      () => this.finish(undefined),
      (error: unknown) => this.finish(this.isEnd(error) ? undefined : { error })
    )
  }

  private deliver(element: A): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      this.waiting.shift()?.resolve({ done: false, value: element })
      const resumeStream = () => resume(Effect.void)
      if (this.waiting.length > 0) resumeStream()
      else this.resumeStream = resumeStream
    })
  }

  private finish(failure: { readonly error: unknown } | undefined): void {
    // The loop was left, which asked for this end: an error of it is of no interest.
    const reported = this.phase === "returned" ? undefined : failure
    this.phase = "over"
    this.resumeStream = undefined
    const waiting = this.waiting.splice(0)
    if (reported !== undefined) {
      const first = waiting.shift()
      if (first === undefined) this.failure = reported
      else first.reject(reported.error)
    }
    for (const { resolve } of waiting) resolve(done)
  }
}

const done: IteratorReturnResult<undefined> = { done: true, value: undefined }
