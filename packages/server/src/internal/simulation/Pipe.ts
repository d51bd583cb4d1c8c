import * as Effect from "effect/Effect"

/** Bytes on their way, or the end of a connection. */
export type Parcel<E> = { readonly arrivesAt: number } & (
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | { readonly _tag: "End"; readonly reason: E }
)

/** What is on its way in one direction of a connection, in order. */
export class Pipe<E> {
  private readonly parcels: Array<Parcel<E>> = []
  private onParcel: (() => void) | undefined
  private arrival = 0
  private closed = false
  /** Bytes that have not arrived. */
  size = 0

  /** Nothing overtakes: a parcel arrives no earlier than those before it. Virtual milliseconds. */
  push(bytes: Uint8Array, arrivesAt: number): void {
    if (this.closed) return
    this.arrival = Math.max(this.arrival, arrivesAt)
    this.size += bytes.length
    this.parcels.push({ _tag: "Bytes", bytes, arrivesAt: this.arrival })
    this.wake()
  }

  /** Nothing follows. */
  end(reason: E, arrivesAt: number): void {
    if (this.closed) return
    this.closed = true
    this.arrival = Math.max(this.arrival, arrivesAt)
    this.parcels.push({ _tag: "End", reason, arrivesAt: this.arrival })
    this.wake()
  }

  /** The oldest parcel, which stays until `arrived`. */
  readonly next: Effect.Effect<Parcel<E>> = Effect.callback((resume) => {
    const first = this.parcels[0]
    if (first !== undefined) return resume(Effect.succeed(first))
    this.onParcel = () => resume(Effect.succeed(this.parcels[0]!))
    return Effect.sync(() => {
      this.onParcel = undefined
    })
  })

  /** The oldest parcel has arrived. */
  arrived(): void {
    const parcel = this.parcels.shift()
    if (parcel?._tag === "Bytes") this.size -= parcel.bytes.length
  }

  private wake(): void {
    const wake = this.onParcel
    this.onParcel = undefined
    wake?.()
  }
}
