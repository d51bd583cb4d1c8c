import type * as Random from "effect/Random"

/**
 * A small pseudo-random generator (sfc32) with the same numbers on every machine. One seed gives many independent streams,
 * so that the order of fibers and the random numbers of a program do not affect each other.
 */
export class Prng implements Random.Random {
  private a: number
  private b: number
  private c: number
  private counter = 1

  constructor(seed: number, stream: number) {
    this.a = scramble(Math.trunc(seed / 0x1_0000_0000) ^ 0x9e3779b9)
    this.b = scramble(seed ^ 0x243f6a88)
    this.c = scramble(stream ^ 0xb7e15162)
    for (let i = 0; i < 12; i++) this.next()
  }

  /** A random number of 32 bits, unsigned. */
  next(): number {
    const drawn = (this.a + this.b + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (this.c << 21) | (this.c >>> 11)
    this.c = (this.c + drawn) | 0
    return drawn >>> 0
  }

  /** A random integer from 0 to `limit`, exclusive. */
  below(limit: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * limit)
  }

  nextDoubleUnsafe(): number {
    return (this.next() * 0x20_0000 + (this.next() >>> 11)) / 0x20_0000_0000_0000
  }

  nextIntUnsafe(): number {
    const span = Number.MAX_SAFE_INTEGER - Number.MIN_SAFE_INTEGER
    return Math.floor(this.nextDoubleUnsafe() * span) + Number.MIN_SAFE_INTEGER
  }
}

const scramble = (value: number): number => {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
