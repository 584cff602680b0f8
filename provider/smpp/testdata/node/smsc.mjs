// A message centre by an SMPP implementation that is not ours. It prints what it reads, one JSON a
// line, the first being its port; the last digits of a number say how it answers.
//
//   node smsc.mjs SYSTEM_ID PASSWORD [CERT KEY]
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';

const smpp = createRequire(import.meta.url)('smpp');
const [systemID, password, cert, key] = process.argv.slice(2);

const say = line => process.stdout.write(JSON.stringify(line) + '\n');
const statuses = {11: smpp.ESME_RINVDSTADR, 58: smpp.ESME_RTHROTTLED, 10: smpp.ESME_RINVSRCADR, 45: smpp.ESME_RSUBMITFAIL};

let messages = 0;

// receipt reports that a message was delivered, by its text and by its parameters in turn.
function receipt(session, id, then) {
	const pdu = {esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT};
	if (messages % 2) {
		pdu.short_message = `id:${id} sub:001 dlvrd:001 submit date:2401021504 done date:2401021505 stat:DELIVRD err:000 text:-`;
	} else {
		Object.assign(pdu, {receipted_message_id: id, message_state: 2, short_message: ''});
	}
	session.deliver_sm(pdu, answer => {
		say({event: 'receipt answered', id, status: answer.command_status});
		then();
	});
}

function submit(session, pdu) {
	const id = (0xABC00 + ++messages).toString(16).toUpperCase();
	const message = pdu.message_payload ?? pdu.short_message;
	say({
		event: 'submit', id, from: pdu.source_addr, from_ton: pdu.source_addr_ton, from_npi: pdu.source_addr_npi,
		to: pdu.destination_addr, to_ton: pdu.dest_addr_ton, to_npi: pdu.dest_addr_npi,
		text: message.message, header: message.udh ? Buffer.concat(message.udh.map(e => Buffer.from(e))).toString('hex') : '',
		coding: pdu.data_coding, esm_class: pdu.esm_class, registered: pdu.registered_delivery,
		validity: pdu.validity_period || '', sar: pdu.sar_total_segments ? [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum] : [],
	});
	const fate = pdu.destination_addr.slice(-2);
	const accept = () => session.send(pdu.response({message_id: id}));
	if (statuses[fate]) {
		session.send(pdu.response({command_status: statuses[fate]}));
	} else if (fate === '33') {
		receipt(session, id, accept);
	} else if (fate === '66') {
		session.destroy();
	} else if (fate !== '44') {
		accept();
		if (pdu.registered_delivery) receipt(session, id, () => {});
	}
}

const options = cert ? {cert: readFileSync(cert), key: readFileSync(key)} : {};
const server = smpp.createServer(options, session => {
	session.on('error', () => {});
	for (const command of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
		session.on(command, pdu => {
			const known = pdu.system_id === systemID && pdu.password === password;
			say({event: command, system_type: pdu.system_type, version: pdu.interface_version, known});
			session.send(pdu.response({command_status: known ? smpp.ESME_ROK : smpp.ESME_RINVPASWD, system_id: 'node'}));
		});
	}
	session.on('submit_sm', pdu => submit(session, pdu));
	session.on('enquire_link', pdu => {
		say({event: 'enquire_link'});
		session.send(pdu.response());
	});
	session.on('unbind', pdu => {
		say({event: 'unbind'});
		session.send(pdu.response());
		session.close();
	});
	session.enquire_link(); // and is it there?
});
server.listen(0, '127.0.0.1', () => say({port: server.address().port}));
