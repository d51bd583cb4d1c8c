/**
 * Calls of the host while something runs: a simulated world brings its own time and its own order of things.
 */

const names = ["setTimeout", "setImmediate", "setInterval", "queueMicrotask"] as const

/** Which timers and microtasks are asked for, by name, in order. None of them is given. */
export const hostCallsOf = (run: () => void): ReadonlyArray<string> => {
  const asked: Array<string> = []
  const kept = names.map((name) => [name, globalThis[name]] as const)
  const { then } = Promise.prototype
  try {
    for (const [name] of kept) Object.assign(globalThis, { [name]: () => asked.push(name) })
    // oxlint-disable-next-line no-extend-native, unicorn/no-thenable
    Promise.prototype.then = function (...args) {
      asked.push("then")
      return then.apply(this, args) as Promise<never>
    }
    run()
  } finally {
    // oxlint-disable-next-line no-extend-native, unicorn/no-thenable
    Promise.prototype.then = then
    for (const [name, original] of kept) Object.assign(globalThis, { [name]: original })
  }
  return asked
}
