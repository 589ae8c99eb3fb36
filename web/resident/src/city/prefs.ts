/** What the resident chose on this device, known before the first picture: language, elder version, what was agreed to before signing in. */
import { preferred, type Language } from '@shared/language/language'
import { platform } from '@platform'
import { reactive } from 'vue'

interface Prefs {
  language: Language
  elder: boolean
  /** By kind of text, the version agreed to; handed in and forgotten at the sign-in. */
  agreed: Readonly<Record<string, string>>
}

const kept = (uni.getStorageSync('prefs') || {}) as Partial<Prefs>

export const prefs = reactive<Prefs>({
  language: kept.language ?? preferred(platform.languages()),
  elder: kept.elder ?? false,
  agreed: kept.agreed ?? {},
})

export function choose(changes: Partial<Prefs>): void {
  Object.assign(prefs, changes)
  uni.setStorageSync('prefs', JSON.parse(JSON.stringify(prefs))) // a plain copy: what is reactive cannot be kept
}
