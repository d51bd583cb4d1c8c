/**
 * Refuses a Node.js that is too old. Without this check it would fail somewhere inside, with an error that does not name the
 * cause.
 */

/** The same as `engines` in each package.json. */
const OLDEST = [22, 19] as const

/** Throws if Node.js is too old. It runs once, while the first module of these packages is evaluated. */
export const requireSupportedNode = (process: unknown = Reflect.get(globalThis, "process")): void => {
  const mistake = unsupported(process)
  if (mistake !== undefined) throw new Error(mistake)
}

/**
 * The message for a Node.js that is too old; undefined for any other runtime. Browsers have no `process`; Deno and Bun name
 * a Node.js that they are compatible with, and are not refused for that.
 */
export const unsupported = (process: unknown): string | undefined => {
  const versions = memberOf(process, "versions")
  const version = memberOf(versions, "node")
  if (typeof version !== "string" || has(versions, "deno") || has(versions, "bun")) return undefined
  const [, major, minor] = (/^(\d+)\.(\d+)/.exec(version) ?? []).map(Number)
  if (major === undefined || minor === undefined) return undefined
  const isOlder = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])
  return isOlder
    ? `effect-zookeeper needs Node.js ${OLDEST.join(".")} or later and runs on ${version}: install a newer Node.js, such as the latest LTS release`
    : undefined
}

const memberOf = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined

const has = (value: unknown, key: string): boolean => memberOf(value, key) !== undefined
