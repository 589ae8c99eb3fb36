/** What the person at the counter does about a refusal, beside the city's own words for it. */
import type { Language } from '@shared/language/language'

type Advice = readonly [zh: string, en: string]

const SHOW_ANEW: Advice = ['请顾客在应用里刷新付款码，再扫一次', 'Ask for a fresh code in the app and scan again']
const OTHER_WAY: Advice = ['请顾客换一张卡，或用其他方式付款', 'Ask for another card or another way to pay']
const CALL: Advice = ['请联系管理员，报上面的代码', 'Call the administrator and give the code above']
const SERVICE: Advice = ['请顾客到服务窗口办理；这次请用其他方式付款', 'The holder can settle this at a service counter; take another way to pay now']

const ADVICE: Readonly<Record<string, Advice>> = {
  code_malformed: ['这不是付款码，请顾客打开“付款码”页面', 'This is no pay code; ask the customer to open the pay code page'],
  code_of_other_city: OTHER_WAY,
  code_expired: SHOW_ANEW,
  code_too_early: ['请顾客联网打开应用一次，再出示付款码', 'Ask the customer to open the app online once, then show the code again'],
  code_unknown: SHOW_ANEW,
  code_used: SHOW_ANEW,
  pay_key_revoked: ['请顾客在应用里重新开通付款码', 'Ask the customer to set up the pay code again in the app'],
  too_many_wrong_codes: CALL,
  codes_recovering: ['请稍等，再扫新的付款码', 'Wait a moment, then scan a new code'],
  card_inactive: ['请顾客在应用里激活，或到服务窗口办理', 'The holder activates it in the app or at a service counter'],
  card_lost: ['不要收下这张卡。本人可在应用里撤销挂失；否则请用其他方式付款', 'Do not accept this card. Its holder can take the report back in the app; otherwise take another way to pay'],
  card_frozen: SERVICE,
  card_locked: SERVICE,
  card_bad: SERVICE,
  card_expired: SERVICE,
  card_cancelled: OTHER_WAY,
  card_replaced: ['请顾客出示新卡的付款码', 'Ask for the pay code of the new card'],
  card_refused_by_issuer: OTHER_WAY,
  insufficient_funds: ['请顾客充值后再付，或用其他方式付款', 'The customer can top up and pay again, or pay in another way'],
  wallet_elsewhere: OTHER_WAY,
  wallet_stopped: SERVICE,
  limit_single: ['请顾客在应用里调整限额，或用其他方式付款', 'The customer can change the limit in the app, or pay in another way'],
  limit_daily: ['请顾客在应用里调整限额，或用其他方式付款', 'The customer can change the limit in the app, or pay in another way'],
  limit_monthly: ['请顾客在应用里调整限额，或用其他方式付款', 'The customer can change the limit in the app, or pay in another way'],
  presentation_expired: SHOW_ANEW,
  presentation_unknown: SHOW_ANEW,
  merchant_unknown: CALL,
  charge_impossible: CALL,
  merchant_short: ['请稍后再退，或联系结算人员', 'Refund later, or ask the settlement office'],
  reversal_too_late: ['请改为退款', 'Make a refund instead'],
  charge_undone: ['请核对退回记录', 'Look at what was given back already'],
  refund_too_much: ['请减少退款金额', 'Refund less'],
  terminal_assertion_refused: ['这台终端可能已被停用：请联系管理员，必要时重新登记', 'This terminal may have been disabled: call the administrator, and enrol it anew if needed'],
  token_revoked: ['这台终端的登录已被收回：请联系管理员', 'The trust in this terminal was taken back: call the administrator'],
  signature_refused: ['请核对这台电脑的时间，然后重试', 'Check the clock of this computer and try again'],
  guardian_unfit: ['请先在“实名办理”里为监护人本人办理，再为孩子办理', 'Prove the guardian’s own identity first, then come back to the child'],
  agreement_outdated: ['新版本已经显示，请监护人重新阅读和决定', 'The new version is shown; the guardian reads it and decides anew'],
  not_under_fourteen: ['不需要监护人：按“实名办理”为本人办理', 'No guardian is needed: prove the identity of this person alone'],
  enrolment_refused: ['请核对登记码；用过或过期的要向管理员再要一个', 'Check the code; if it was used or is too old, ask the administrator for another'],
}

/** What to do next about a refusal's code; nothing where the city's words say it all. */
export function adviceOn(code: string, language: Language): string {
  return ADVICE[code]?.[language === 'en' ? 1 : 0] ?? ''
}
