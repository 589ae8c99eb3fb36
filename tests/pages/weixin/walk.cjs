// The package from first start to a pay code, over the real city; prints what happened as JSON.
const { Client } = require('./fake_wx.cjs')
const { Thumb } = require('./thumb.cjs')

const [root, given] = [process.argv[2], JSON.parse(process.argv[3])]

async function codeOnPhone() {
  for (let tries = 0; tries < 100; tries++) {
    const { messages = [] } = await (await fetch(`${given.outside}/phones/${given.phone}/messages`, { headers: { Accept: 'application/json' } })).json()
    const found = messages.filter((message) => message.template === 'sign_in_code' && !given.before.includes(message.id))
    if (found.length) return String(found[0].values.code)
    await new Promise((done) => setTimeout(done, 100))
  }
  throw new Error('no sign-in code came')
}

/** A water account bound, and its newest bill as it stands on the page. */
async function billRead(client, thumb) {
  client.open('pages/home', true)
  await thumb.press('生活缴费')
  await thumb.press('绑定户号')
  await thumb.press('水费')
  await thumb.type('用水户号', given.water)
  await thumb.type('户主姓名', given.owner)
  await thumb.press('绑定户号')
  await thumb.sees('户号已绑定')
  await thumb.press('对，就是这一户')
  await thumb.press('查看并缴费')
  await thumb.sees('这笔钱怎么算的')
  return thumb.text()
}

/** What stands on the page of bills paid, reached as a thumb does, when none was. */
async function nonePaid(client, thumb) {
  client.open('pages/home', true)
  await thumb.press('生活缴费')
  await thumb.press('缴费记录')
  await thumb.sees('还没有缴过费')
  return { shown: client.stack.at(-1)?.is, text: thumb.text() }
}

async function main() {
  const client = new Client(root, { refused: given.refused })
  const thumb = new Thumb(client, given.pause_ms)
  client.open('pages/home', true)
  await thumb.press('同意并继续')
  await thumb.type('手机号', given.phone)
  await thumb.press('获取验证码')
  await thumb.sees('验证码已发送')
  await thumb.type('验证码', await codeOnPhone())
  await thumb.press('登录')
  await thumb.press('实名认证')
  await thumb.type('姓名', given.name)
  await thumb.type('身份证号', given.citizen_number)
  await thumb.press('我单独同意：用身份证号核对身份')
  await thumb.press('提交核对')
  await thumb.sees('姓名与身份证号已核对')
  await thumb.press('我单独同意：进行人脸核验')
  await thumb.press('开始人脸核验')
  await thumb.sees('核验代码')
  await thumb.press('完成')
  await thumb.press(given.product)
  await thumb.press('出示付款码')
  await thumb.press('在这台设备上开通付款码')
  const picture = await thumb.until('the code', () => thumb.picture())
  const code = picture.attrs['aria-label'].replace(/\D/g, '')
  const bill = await billRead(client, thumb)
  const paid = await nonePaid(client, thumb)
  const pages = {}
  for (const page of client.app.pages) {
    client.open(page, true)
    await new Promise((done) => setTimeout(done, 400))
    pages[page] = { shown: client.stack.at(-1)?.is, letters: thumb.text().length }
  }
  const drawn = decodeURIComponent(picture.attrs.src).includes('<path')
  process.stdout.write(JSON.stringify({ code, drawn, bill, paid, pages, calls: client.calls, requests: client.requests, clipboard: client.clipboard }))
}

main().then(() => process.exit(0), (fault) => (console.error(fault), process.exit(1)))
