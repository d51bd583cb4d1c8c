import { createSignal } from "solid-js"

export const themes = ["auto", "light", "dark"] as const

export type Theme = (typeof themes)[number]

const key = "zk-console-theme"

const [theme, setTheme] = createSignal<Theme>(themes.find((one) => one === localStorage.getItem(key)) ?? "auto")

export { theme }

export const applyTheme = (): void => {
  document.documentElement.dataset["theme"] = theme()
}

export const chooseTheme = (theme: Theme): void => {
  localStorage.setItem(key, theme)
  setTheme(theme)
  applyTheme()
}

/** Whether it is dark now, by choice or by the system. */
export const isDark = (): boolean =>
  theme() === "dark" || (theme() === "auto" && window.matchMedia("(prefers-color-scheme: dark)").matches)
