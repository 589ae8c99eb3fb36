/** What the resident chose on this device, known before the first picture: language, elder version, which texts were agreed to. */
import { preferred, type Language } from '@shared/language/language'
import { platform } from '@platform'
import { reactive } from 'vue'
import { TEXTS_VERSION } from '@/words/agreement'

interface Prefs {
  language: Language
  elder: boolean
  agreed: string
}

const kept = (uni.getStorageSync('prefs') || {}) as Partial<Prefs>

export const prefs = reactive<Prefs>({
  language: kept.language ?? preferred(platform.languages()),
  elder: kept.elder ?? false,
  agreed: kept.agreed ?? '',
})

export function choose(changes: Partial<Prefs>): void {
  Object.assign(prefs, changes)
  uni.setStorageSync('prefs', { ...prefs })
}

/** The texts changed since, or were never agreed to. */
export const mustAgree = (): boolean => prefs.agreed !== TEXTS_VERSION
