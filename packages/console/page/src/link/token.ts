/**
 * The token that the server of the page wants. It arrives in the fragment of the link that `zk ui` prints, and is kept for
 * this origin, so that a link to a path opens in another tab. It ends with the server that made it.
 */
import { tokenParameter } from "@effect-zookeeper/console/Protocol"

const key = "zk-console-token"

/** The token that this page was opened with. */
let used: string | undefined

/** Takes the token out of the address, so that no link that one copies has it. */
export const takeToken = (): string | undefined => {
  const { hash } = window.location
  const [whole, found] = inAddress.exec(hash) ?? []
  used = found ?? localStorage.getItem(key) ?? undefined
  if (found === undefined || whole === undefined) return used
  keepToken(found)
  window.history.replaceState(null, "", `#${hash.replace(whole, "").replace(/^[#&]+/, "")}`)
  return found
}

export const keepToken = (token: string): void => localStorage.setItem(key, token)

/** Calls back when another tab of this browser has a token that this page was not opened with. Returns a function that ends it. */
export const onNewToken = (then: () => void): (() => void) => {
  const look = (): void => {
    const kept = localStorage.getItem(key)
    if (kept !== null && kept !== used) then()
  }
  look()
  window.addEventListener("storage", look)
  return () => window.removeEventListener("storage", look)
}

/** The token in a link, or a token alone, as a person pastes it. */
export const tokenIn = (text: string): string | undefined =>
  inAddress.exec(text)?.[1] ?? /^[\w-]{16,}$/.exec(text.trim())?.[0]

/** Paths of znodes have no `=` in an address: it is escaped there. */
const inAddress = new RegExp(`[#&]${tokenParameter}=([\\w-]+)`)
