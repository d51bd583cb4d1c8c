/**
 * The quota of a subtree, as ZooKeeper keeps it in znodes below `/zookeeper/quota`.
 *
 * @since 0.1.0
 */
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"

/**
 * Counts of znodes and bytes of data; a limit that is undefined is not set. The hard ones are since ZooKeeper 3.7.
 *
 * @category models
 * @since 0.1.0
 */
export interface Limits {
  readonly count: number | undefined
  readonly bytes: number | undefined
  readonly hardCount: number | undefined
  readonly hardBytes: number | undefined
}

/**
 * The znode that has the limits of a subtree. The path is that on the server, without a chroot.
 *
 * @example
 * ```ts
 * import * as Quota from "@effect-zookeeper/cli/Quota"
 *
 * Quota.limitsPath("/app") // "/zookeeper/quota/app/zookeeper_limits"
 * ```
 *
 * @category paths
 * @since 0.1.0
 */
export const limitsPath = (path: string): string => ZnodePath.join(rootOf(path), "zookeeper_limits")

/**
 * The znode in which servers count the use of a subtree. The path is that on the server, without a chroot.
 *
 * @category paths
 * @since 0.1.0
 */
export const statsPath = (path: string): string => ZnodePath.join(rootOf(path), "zookeeper_stats")

/**
 * Reads the text of a limits or stats znode, such as `count=5,bytes=-1=;byteHardLimit=-1;countHardLimit=-1`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const parse = (text: string): Limits => {
  const numbers = new Map<string, number>()
  for (const [, key = "", value] of text.matchAll(/([A-Za-z]+)=(-?\d+)/g)) numbers.set(key, Number(value))
  const get = (key: string): number | undefined => {
    const value = numbers.get(key)
    return value === undefined || value < 0 ? undefined : value
  }
  return {
    count: get("count"),
    bytes: get("bytes"),
    hardCount: get("countHardLimit"),
    hardBytes: get("byteHardLimit")
  }
}

/**
 * Limits as the text of a limits znode, in the form of ZooKeeper 3.7 and later, which older servers read as well: they see
 * `count` and `bytes`.
 *
 * @example
 * ```ts
 * import * as Quota from "@effect-zookeeper/cli/Quota"
 *
 * Quota.format({ ...Quota.parse(""), count: 5 }) // "count=5,bytes=-1=;byteHardLimit=-1;countHardLimit=-1"
 * ```
 *
 * @category conversions
 * @since 0.1.0
 */
export const format = ({ bytes = -1, count = -1, hardBytes = -1, hardCount = -1 }: Limits): string =>
  `count=${count},bytes=${bytes}=;byteHardLimit=${hardBytes};countHardLimit=${hardCount}`

// ---- internal

const rootOf = (path: string): string => (path === "/" ? "/zookeeper/quota" : `/zookeeper/quota${path}`)
