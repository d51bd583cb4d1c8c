/**
 * Calls of a Promise API that are a single request and have no fiber.
 *
 * Thousands may wait at a time, and the garbage collector copies what each of them keeps alive. So a call is one object,
 * which is its own place in the list of those that a close ends, and it keeps nothing of the Effect that it was made from.
 */
import * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import type { StartRequest } from "./directRequest.ts"

type Reject = (reason: unknown) => void

/** The calls without a reply, the oldest first. */
export class DirectCalls {
  private readonly ring = new Place()

  /** Makes a request at once. Its Promise rejects by what `wrap` makes of its own function. */
  start<A>(request: StartRequest<A, unknown>, wrap: ((reject: Reject) => Reject) | undefined): Promise<A> {
    const { promise, reject, resolve } = Promise.withResolvers<A>()
    const call = new DirectCall(resolve, wrap === undefined ? reject : wrap(reject))
    call.enter(this.ring)
    try {
      call.giveUp = request(call.settle, undefined)
    } catch (defect) {
      call.end(defect)
    }
    return promise
  }

  /** Rejects all calls that are left. Those that were not sent are not sent any more. */
  endAll(makeReason: () => unknown): void {
    while (this.ring.next !== this.ring) this.ring.next.end(makeReason())
  }
}

/** A place in a ring, alone in its own at first. */
class Place {
  next: Place = this
  private previous: Place = this

  /** Goes to the end of the list that begins behind `start`. */
  enter(start: Place): void {
    this.previous = start.previous
    this.next = start
    this.previous.next = this
    start.previous = this
  }

  /** Nothing happens if it has left already. */
  leave(): void {
    this.previous.next = this.next
    this.next.previous = this.previous
    this.next = this
    this.previous = this
  }

  end(_reason: unknown): void {
    this.leave()
  }
}

class DirectCall<A> extends Place {
  private readonly resolve: (value: A) => void
  private readonly reject: Reject
  /** Takes the request back, if it has not been sent. */
  giveUp: (() => void) | undefined

  constructor(resolve: (value: A) => void, reject: Reject) {
    super()
    this.resolve = resolve
    this.reject = reject
    this.giveUp = undefined
  }

  readonly settle = (exit: Exit.Exit<A, unknown>): void => {
    this.leave()
    if (exit._tag === "Success") this.resolve(exit.value)
    else this.reject(Cause.squash(exit.cause))
  }

  override end(reason: unknown): void {
    this.leave()
    this.giveUp?.()
    this.reject(reason)
  }
}
