// Package testkit has what tests share: an in-memory network that works inside synctest bubbles, sinks
// that answer by script, and a caller that behaves like IMServer.
//
//	synctest.Test(t, func(t *testing.T) {
//		network := testkit.NewNetwork()
//		moderation := testkit.Script(testkit.Hang(), testkit.Allow())
//		network.Serve(t, "moderation", moderation)
//		network.Serve(t, "gateway", gateway) // its sinks use network.DialContext
//		im := testkit.IMServer{URL: "http://gateway", Transport: network.Transport()}
//		outcome := im.Call("callbackBeforeSendGroupMsgCommand", "op-1", body)
//	})
package testkit
