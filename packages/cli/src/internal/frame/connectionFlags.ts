/** The flags of a command line that say where to connect. */

const withValue: Readonly<Record<string, string>> = {
  "--servers": "--servers",
  "-s": "--servers",
  "--profile": "--profile",
  "-p": "--profile",
  "--profiles": "--profiles",
  "--chroot": "--chroot",
  "--auth-file": "--auth-file",
  "--ca": "--ca",
  "--cert": "--cert",
  "--key": "--key",
  "--max-buffer": "--max-buffer"
}

/** Those that the words have, up to `--`. A word that is not finished is left out. */
export const connectionFlags = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const flags: Array<string> = []
  for (let at = 0; at < words.length && words[at] !== "--"; at++) {
    const word = words[at] ?? ""
    const equals = word.indexOf("=")
    const name = withValue[equals < 0 ? word : word.slice(0, equals)]
    const value = equals < 0 ? words[at + 1] : word.slice(equals + 1)
    if (word === "--tls") flags.push(word)
    if (name === undefined || value === undefined || value === "") continue
    flags.push(`${name}=${value}`)
    if (equals < 0) at++
  }
  return flags
}

/** Whether a completion script asks: its arguments end with the words that were typed. */
export const isCompletion = ([command]: ReadonlyArray<string>): boolean =>
  command === "complete-znodes" || command === "complete-profiles"

/**
 * The arguments of `zk complete-znodes` and `zk complete-profiles`. After the prefix and `--` it gets the words that were typed so far, of which only
 * these flags matter. A person waits for the answer, so that it is given up soon.
 */
export const completionArgs = ([command = "", prefix = "", ...rest]: ReadonlyArray<string>): ReadonlyArray<string> => [
  command,
  ...connectionFlags(rest.slice(1)),
  "--timeout=2s",
  "--",
  prefix
]
