// SPDX-License-Identifier: BSD-2-Clause
// Compiled JavaScript, regular expressions, native add-ins and the thread pool. Until it is ended.
const crypto = require('crypto'), fs = require('fs'), zlib = require('zlib');

function work() {
	const data = {};

	for (let i = 0; i < 300; i++)
		data['key' + i] = { i, text: 'x'.repeat(i % 70) };
	const text = JSON.stringify(data);

	JSON.parse(text);
	zlib.deflateSync(text);
	zlib.gzip(text, () => {});
	crypto.createHash('sha256').update(text).digest('hex');
	crypto.randomBytes(64, () => {});
	fs.readFile('/etc/passwd', () => {});
	Buffer.alloc(5000);
	new RegExp('(a|b)+' + text.length % 9).test(text);
	new Function('a', 'return a + ' + text.length)(1);
	setTimeout(work, 1);
}

work();
work();
