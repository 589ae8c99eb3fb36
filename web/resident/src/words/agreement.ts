/** The texts agreed to at first start. Whoever changes a text changes the version, and every device asks again. */
export const TEXTS_VERSION = '2026-11-01'

interface Section {
  readonly title: string
  readonly text: string
}
type Text = Readonly<Record<'zh-CN' | 'en', readonly Section[]>>

export const AGREEMENT: Text = {
  'zh-CN': [
    { title: '这是什么', text: '本应用由本市提供，用来出示市民卡、付款、充值、查看记录、挂失。使用免费。' },
    { title: '您的账户', text: '账户属于您本人。请不要把付款码、验证码告诉别人。发现不认识的设备，请立即移除。' },
    { title: '付款和退款', text: '钱包里的钱属于您，由公布的存管银行保管。每笔付款都有收据；错误的付款由商户或窗口撤销或退款。' },
    { title: '挂失', text: '挂失立即生效。挂失生效后发生的付款，不由您承担。' },
    { title: '不用手机', text: '应用里能办的事，都可以在市民中心窗口凭身份证办理，也可以使用实体卡和现金。' },
    { title: '停止使用', text: '您可以随时退出登录、注销账户，余额会退还给您。' },
  ],
  en: [
    { title: 'What this is', text: 'The city offers this app to show your city card, pay, top up, see what happened and report a loss. It is free.' },
    { title: 'Your account', text: 'The account is yours alone. Tell nobody your pay codes and sign-in codes. Remove a device you do not know at once.' },
    { title: 'Paying and refunds', text: 'The money in the wallet is yours and lies with the bank the city names. Every payment has a receipt; a wrong one is reversed or refunded by the merchant or at a counter.' },
    { title: 'Loss', text: 'A report of loss takes effect at once. You do not bear payments made after it.' },
    { title: 'Without a phone', text: 'Whatever the app does, a service counter does too with your ID card. Plastic card and cash work as well.' },
    { title: 'Leaving', text: 'You can sign out or close the account at any time; what is left in the wallet is paid back to you.' },
  ],
}

export const PRIVACY: Text = {
  'zh-CN': [
    { title: '我们记录什么', text: '手机号；实名后的姓名、身份证号；您的设备、卡、付款和办事记录。不读取通讯录、相册和位置。' },
    { title: '为什么', text: '手机号用于登录和通知；姓名和身份证号用于向公安人口库核对身份；付款记录用于收据和账目，法律要求保存五年。' },
    { title: '人脸', text: '人脸核验是自愿的，由国家认可的核验服务完成，本应用不保存人脸。不愿使用，可到窗口凭身份证办理。' },
    { title: '谁能看到', text: '柜台终端只看到打码的姓名和卡尾号。工作人员查看您的资料会留下记录。不向任何人出售资料。' },
    { title: '留在这台设备上的', text: '设备密钥、付款码密钥和上次的余额。退出登录后，付款码密钥和余额会删除。' },
    { title: '您的权利', text: '您可以查阅、更正、复制、删除您的资料，撤回同意，注销账户。到窗口或在应用里提出，十五个工作日内答复。' },
  ],
  en: [
    { title: 'What is kept', text: 'Your phone number; after proving who you are, name and citizen number; your devices, cards, payments and dealings with the city. Contacts, pictures and location are not read.' },
    { title: 'What for', text: 'The number for signing in and notices; name and citizen number to check them with the police register; payments for receipts and the books, which the law wants kept for five years.' },
    { title: 'Face', text: 'A face check is voluntary and done by a service the state recognises; this app keeps no face. A counter does the same with your ID card.' },
    { title: 'Who can see it', text: 'A counter terminal sees a masked name and the tail of the card number. Staff who look at your data leave a record. Nothing is sold to anybody.' },
    { title: 'What stays on this device', text: 'The device’s key, the key of the pay codes and the last balance. Signing out deletes the last two.' },
    { title: 'Your rights', text: 'You can see, correct, copy and delete your data, take back consent and close the account, at a counter or here; you are answered within fifteen working days.' },
  ],
}
