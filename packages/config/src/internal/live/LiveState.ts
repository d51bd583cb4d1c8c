/** The state of a live configuration, and its streams. All changes of it are made here. */
import { SessionClosed, type SessionError } from "@effect-zookeeper/client/Errors"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import type { LiveConfig, Problem, Status } from "./model.ts"

interface State<A> {
  readonly value: A
  readonly status: Status
  /** Why nothing follows. */
  readonly end: SessionError | undefined
}

export class LiveState<A> {
  private readonly path: string
  private readonly states: PubSub.PubSub<State<A>>
  private state: State<A> | undefined
  private freshness: Status["freshness"] = "stale"
  private problem: Option.Option<Problem> = Option.none()
  /** Why nothing follows, also before there is a value. */
  private ending: SessionError | undefined

  private constructor(path: string, states: PubSub.PubSub<State<A>>) {
    this.path = path
    this.states = states
  }

  static make<A>(path: string): Effect.Effect<LiveState<A>> {
    return Effect.map(PubSub.unbounded<State<A>>({ replay: 1 }), (states) => new LiveState(path, states))
  }

  get hasValue(): boolean {
    return this.state !== undefined
  }

  /** Whether the newest state of the tree was not taken over. */
  get hasProblem(): boolean {
    return Option.isSome(this.problem)
  }

  /** A state of the tree, or of the file, that decoded. A value and its freshness are shown together. */
  publish(value: A, source: Status["source"], freshness?: "live"): void {
    if (source === "tree") this.problem = Option.none()
    this.note(freshness)
    // An equal value stays the same object.
    const kept = this.state !== undefined && Equal.equals(this.state.value, value) ? this.state.value : value
    this.setState(kept, source)
  }

  /** The tree cannot be taken over; true if that is another reason than before. */
  reject(problem: Problem, freshness?: "live"): boolean {
    const before = Option.getOrUndefined(this.problem)
    this.problem = Option.some(problem)
    this.note(freshness)
    this.republish()
    return before?._tag !== problem._tag || before.message !== problem.message
  }

  setFreshness(freshness: "live" | "stale"): void {
    if (this.note(freshness)) this.republish()
  }

  /** Nothing follows; a session that is closed is no error. */
  end(error: SessionError): void {
    this.freshness = "ended"
    this.ending = error
    this.republish()
  }

  /** The face that applications see; there has to be a value. */
  toLiveConfig(): LiveConfig<A> {
    const current = () => this.expectState()
    // A slow consumer skips states, so that memory is bounded.
    const all = Stream.fromPubSub(this.states).pipe(Stream.buffer({ capacity: 16, strategy: "sliding" }))
    const untilEnd = all.pipe(
      Stream.takeUntil(({ end }) => end !== undefined),
      Stream.changesWith((a, b) => a.value === b.value && a.end === b.end)
    )
    return {
      path: this.path,
      get current() {
        return current().value
      },
      get: Effect.sync(() => current().value),
      changes: untilEnd.pipe(
        Stream.mapEffect((state): Effect.Effect<A, SessionError> => {
          if (state.end === undefined || state.end instanceof SessionClosed) return Effect.succeed(state.value)
          return Effect.fail(state.end)
        }),
        Stream.changesWith((a, b) => a === b)
      ),
      get status() {
        return current().status
      },
      statusChanges: all.pipe(
        Stream.takeUntil(({ end }) => end !== undefined),
        Stream.map(({ status }) => status),
        Stream.changesWith((a, b) => a === b)
      )
    }
  }

  private expectState(): State<A> {
    if (this.state === undefined) throw new Error("a live configuration has no value before it is made")
    return this.state
  }

  private republish(): void {
    if (this.state !== undefined) this.setState(this.state.value, this.state.status.source)
  }

  /** True if that is another freshness than before. */
  private note(freshness: "live" | "stale" | undefined): boolean {
    if (freshness === undefined || this.freshness === freshness || this.freshness === "ended") return false
    this.freshness = freshness
    return true
  }

  private setState(value: A, source: Status["source"]): void {
    const { ending: end, freshness, problem, state } = this
    const before = state?.status
    const isSame = before?.freshness === freshness && before.source === source && before.problem === problem
    const status = isSame ? before : { freshness, source, problem }
    this.state = { value, status, end }
    PubSub.publishUnsafe(this.states, this.state)
  }
}
