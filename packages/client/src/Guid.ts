/**
 * Version 4 UUIDs from the Random service, so that a simulation gets the same ones each time. Recipes put them into the
 * names of znodes.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/**
 * Gives a new UUID at each run, such as `9f2b61c4-5c1e-4d0a-8f3e-0c7a5b1d2e4f`. It never fails.
 *
 * @example
 * ```ts
 * import { Guid } from "@effect-zookeeper/client"
 * import * as Effect from "effect/Effect"
 *
 * export const uniqueName = Effect.map(Guid.make, (id) => `worker-${id}`)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<string> = Effect.map(Random.Random, (random) => {
  const word = () =>
    Math.floor(random.nextDoubleUnsafe() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, "0")
  const hex = word() + word() + word() + word()
  const variant = "89ab".charAt(Number.parseInt(hex.charAt(16), 16) & 3)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`
})
