package openim_test

import (
	"fmt"

	"callboard/openim"
)

func Example() {
	command, _ := openim.Lookup("beforeSendGroupMsg")
	callback, err := openim.Decode(openim.Request{Path: "/prod/" + command.Name, Body: openim.Sample(command)})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s from %s to %s: %s\n", callback.Source,
		callback.Value("sendID", openim.String), callback.Value("groupID", openim.String), callback.Text())

	answer := openim.ReadAnswer(200, []byte(`{"nextCode":"1","errCode":20401,"errMsg":"ask in the shop"}`), openim.DialectCurrent)
	verdict := openim.Verdict{Refuse: answer.Vote == openim.Refuse, Code: answer.Code, Message: answer.Message}
	reply := openim.AppendReply(nil, callback, verdict, openim.V37)
	fmt.Printf("%s\n", reply)
	fmt.Println(openim.ReadReply(reply, command, openim.V37).Why)
	// Output:
	// prod from u-1001 to support-1: Good morning, is the refund on its way?
	// {"actionCode":0,"errCode":20401,"errMsg":"ask in the shop","errDlt":"","nextCode":1}
	// actionCode 0 with nextCode 1 refuses
}
