/** Why a file cannot be used, or a program cannot be started, without the names of functions. */

/** The reason in words. Node's own text is for codes that are not known here. */
export const reasonOf = (error: unknown, what: "file" | "program" = "file"): string => {
  const code = codeOf(error)
  if (code === "ENOENT") return `no such ${what}`
  return (typeof code === "string" ? reasons.get(code) : undefined) ?? textOf(error)
}

/** The exit code that shells give for a program that could not be started. */
export const startExitCode = (error: unknown): number => (codeOf(error) === "ENOENT" ? 127 : 126)

/** The code that Node gives, which may be several causes down. */
export const codeOf = (error: unknown): unknown => {
  for (let at: unknown = error; typeof at === "object" && at !== null; at = "cause" in at ? at.cause : undefined) {
    if ("code" in at && typeof at.code === "string") return at.code
    if ("reason" in at && typeof at.reason === "object" && at.reason !== null && "cause" in at.reason) {
      const inner = codeOf(at.reason)
      if (inner !== undefined) return inner
    }
  }
  return undefined
}

// ---- internal

const reasons: ReadonlyMap<string, string> = new Map([
  ["EACCES", "permission denied"],
  ["EPERM", "permission denied"],
  ["EISDIR", "it is a directory"],
  ["ENOTDIR", "a part of its path is no directory"],
  ["EEXIST", "it exists already"],
  ["ELOOP", "its symbolic links lead to each other"],
  ["ENAMETOOLONG", "the name is too long"],
  ["ENOSPC", "no space is left on the device"],
  ["EDQUOT", "the quota of the disk is used up"],
  ["EROFS", "the file system is read-only"],
  ["EMFILE", "too many files are open"],
  ["ENOEXEC", "it is no program"]
])

/** The text of the innermost cause; where there is none, the description of the platform. */
const textOf = (error: unknown): string => {
  let text = String(error)
  for (let at: unknown = error; typeof at === "object" && at !== null;) {
    if ("message" in at && typeof at.message === "string") text = at.message
    const next: unknown = "reason" in at ? at.reason : "cause" in at ? at.cause : undefined
    if ("description" in at && typeof at.description === "string" && next === undefined) return at.description
    at = next
  }
  return text
}
