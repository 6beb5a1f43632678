package openim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The reply structs of IMServer, written from its protocol and not from the catalogue, so that
// the two check each other. A name that is missing here must not be in a reply.

type common struct {
	ActionCode int32  `json:"actionCode"`
	ErrCode    int32  `json:"errCode"`
	ErrMsg     string `json:"errMsg"`
	ErrDlt     string `json:"errDlt"`
	NextCode   int32  `json:"nextCode"`
}

type pushInfo struct {
	Title         string `json:"title"`
	Desc          string `json:"desc"`
	Ex            string `json:"ex"`
	IOSPushSound  string `json:"iOSPushSound"`
	IOSBadgeCount bool   `json:"iOSBadgeCount"`
	SignalInfo    string `json:"signalInfo"`
}

type registeredUser struct {
	UserID           string `json:"userID"`
	Nickname         string `json:"nickname"`
	FaceURL          string `json:"faceURL"`
	Ex               string `json:"ex"`
	CreateTime       int64  `json:"createTime"`
	AppMangerLevel   int32  `json:"appMangerLevel"`
	GlobalRecvMsgOpt int32  `json:"globalRecvMsgOpt"`
}

// nullString and nullInt accept a scalar and its wrapped form, as the servers do that wrap.
type nullString struct{ value *string }

func (n *nullString) UnmarshalJSON(b []byte) error { return unwrapTo(&n.value, b) }

type nullInt struct{ value *int32 }

func (n *nullInt) UnmarshalJSON(b []byte) error { return unwrapTo(&n.value, b) }

func unwrapTo(to any, b []byte) error {
	if b[0] == '{' {
		var wrapped struct {
			Value json.RawMessage `json:"value"`
		}
		if err := decodeStrictly(b, &wrapped); err != nil {
			return err
		}
		b = wrapped.Value
	}
	return json.Unmarshal(b, to)
}

type modifyReplyWire struct {
	common
	Content          *string          `json:"content"`
	RecvID           *string          `json:"recvID"`
	GroupID          *string          `json:"groupID"`
	ClientMsgID      *string          `json:"clientMsgID"`
	ServerMsgID      *string          `json:"serverMsgID"`
	SenderPlatformID *int32           `json:"senderPlatformID"`
	SenderNickname   *string          `json:"senderNickname"`
	SenderFaceURL    *string          `json:"senderFaceURL"`
	SessionType      *int32           `json:"sessionType"`
	MsgFrom          *int32           `json:"msgFrom"`
	ContentType      *int32           `json:"contentType"`
	Status           *int32           `json:"status"`
	Options          *map[string]bool `json:"options"`
	AtUserIDList     *[]string        `json:"atUserIDList"`
	AttachedInfo     *string          `json:"attachedInfo"`
	Ex               *string          `json:"ex"`
}

type conversationReplyWire struct {
	common
	RecvMsgOpt    *int32  `json:"recvMsgOpt"`
	IsPinned      *bool   `json:"isPinned"`
	IsPrivateChat *bool   `json:"isPrivateChat"`
	BurnDuration  *int32  `json:"burnDuration"`
	GroupAtType   *int32  `json:"groupAtType"`
	AttachedInfo  *string `json:"attachedInfo"`
	Ex            *string `json:"ex"`
}

// wireReply returns a pointer to the struct that IMServer decodes a command's reply into.
func wireReply(short string) any {
	switch short {
	case "beforeMsgModify":
		return new(modifyReplyWire)
	case "beforeSetFriendRemark":
		return new(struct {
			common
			Remark string `json:"remark"`
		})
	case "beforeImportFriends":
		return new(struct {
			common
			FriendUserIDs []string `json:"friendUserIDs"`
		})
	case "beforeUpdateUserInfo", "beforeUpdateUserInfoEx":
		return new(struct {
			common
			NickName *string `json:"nickName"`
			FaceURL  *string `json:"faceURL"`
			Ex       *string `json:"ex"`
		})
	case "beforeUserRegister":
		return new(struct {
			common
			Users []*registeredUser `json:"users"`
		})
	case "beforeCreateGroup":
		return new(struct {
			common
			GroupID          *string `json:"groupID"`
			GroupName        *string `json:"groupName"`
			Notification     *string `json:"notification"`
			Introduction     *string `json:"introduction"`
			FaceURL          *string `json:"faceURL"`
			OwnerUserID      *string `json:"ownerUserID"`
			Ex               *string `json:"ex"`
			Status           *int32  `json:"status"`
			CreatorUserID    *string `json:"creatorUserID"`
			GroupType        *int32  `json:"groupType"`
			NeedVerification *int32  `json:"needVerification"`
			LookMemberInfo   *int32  `json:"lookMemberInfo"`
		})
	case "beforeSetGroupInfo":
		return new(struct {
			common
			GroupID           string  `json:"groupID"`
			GroupName         string  `json:"groupName"`
			Introduction      string  `json:"introduction"`
			FaceURL           string  `json:"faceURL"`
			Ex                *string `json:"ex"`
			NeedVerification  *int32  `json:"needVerification"`
			LookMemberInfo    *int32  `json:"lookMemberInfo"`
			ApplyMemberFriend *int32  `json:"applyMemberFriend"`
		})
	case "beforeSetGroupInfoEx":
		return new(struct {
			common
			GroupID           string      `json:"groupID"`
			GroupName         *nullString `json:"groupName"`
			Introduction      *nullString `json:"introduction"`
			FaceURL           *nullString `json:"faceURL"`
			Ex                *nullString `json:"ex"`
			NeedVerification  *nullInt    `json:"needVerification"`
			LookMemberInfo    *nullInt    `json:"lookMemberInfo"`
			ApplyMemberFriend *nullInt    `json:"applyMemberFriend"`
		})
	case "beforeMemberJoinGroup":
		return new(struct {
			common
			MemberCallbackList []struct {
				UserID      *string `json:"userID"`
				Nickname    *string `json:"nickname"`
				FaceURL     *string `json:"faceURL"`
				RoleLevel   *int32  `json:"roleLevel"`
				MuteEndTime *int64  `json:"muteEndTime"`
				Ex          *string `json:"ex"`
			} `json:"memberCallbackList"`
		})
	case "beforeSetGroupMemberInfo":
		return new(struct {
			common
			NickName  *string `json:"nickName"`
			FaceURL   *string `json:"faceURL"`
			Ex        *string `json:"ex"`
			RoleLevel *int32  `json:"roleLevel"`
		})
	case "beforeOfflinePush":
		return new(struct {
			common
			UserIDList      []string  `json:"userIDList"`
			OfflinePushInfo *pushInfo `json:"offlinePushInfo"`
		})
	case "beforeGroupOnlinePush":
		return new(struct {
			common
			UserIDList []string `json:"userIDList"`
		})
	case "beforeCreateSingleChatConversations", "beforeCreateGroupChatConversations":
		return new(conversationReplyWire)
	default:
		return new(common)
	}
}

// decodeStrictly decodes one JSON value with encoding/json, and no name that the struct lacks.
func decodeStrictly(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return fmt.Errorf("more than one value")
	}
	return nil
}

// TestTheCatalogueHasIMServersReplyTypes compares both descriptions of every reply, name by name.
func TestTheCatalogueHasIMServersReplyTypes(t *testing.T) {
	for _, c := range Commands() {
		wire := reflect.TypeOf(wireReply(c.Short)).Elem()
		want, got := map[string]string{}, map[string]string{}
		for _, f := range reflect.VisibleFields(wire) {
			if name := f.Tag.Get("json"); len(f.Index) == 1 && name != "" && wire != reflect.TypeFor[common]() {
				want[name] = typeName(f.Type)
			}
		}
		for _, f := range c.Reply {
			_, carried := c.Field(f.Name)
			if f.Effect != Ignored && (f.Effect != IfCarried || carried) {
				got[f.Name] = typeName(goType(f.Field))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.Short, diff)
		}
	}
}

// typeName names a type as JSON sees it, without pointers.
func typeName(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[*nullString]():
		return "string"
	case t == reflect.TypeFor[*nullInt]():
		return "int32"
	case t.Kind() == reflect.Pointer:
		return typeName(t.Elem())
	case t.Kind() == reflect.Slice:
		return "list of " + typeName(t.Elem())
	case t.Kind() == reflect.Struct:
		members := "object"
		for _, f := range reflect.VisibleFields(t) {
			members += " " + f.Tag.Get("json") + ":" + typeName(f.Type)
		}
		return members
	default:
		return t.String()
	}
}
